/** The first letters of the first and the last name. */
export function initialsOf(name: string): string {
  const parts = name.trim().split(/\s+/).filter(Boolean);
  const letters = [parts[0], parts.length > 1 ? parts.at(-1) : undefined].map((part) => [...(part ?? '')][0] ?? '');
  return letters.join('').toUpperCase() || '?';
}

/** The same person has the same colour everywhere. */
function hueOf(id: string): number {
  let hash = 7;
  for (const letter of id) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 3600;
  return hash % 360;
}

interface AvatarProps {
  id: string;
  name: string;
  large?: boolean;
}

export function Avatar({ id, name, large }: AvatarProps) {
  const style = { '--hue': hueOf(id) } as React.CSSProperties;
  const classes = `avatar${large === true ? ' large' : ''}`;
  // A picture, not a text: what is read is the name beside it.
  return <span className={classes} style={style} data-initials={initialsOf(name)} title={name} aria-hidden="true" />;
}
