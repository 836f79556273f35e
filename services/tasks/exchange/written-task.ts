/** The text of a task in a file. */
export interface WrittenTask {
  text: string;
  /** What is left out or changed, each worded to follow "is written …". */
  losses: string[];
}

/** Makes each label one word, as some formats need it. Labels that become equal are merged. */
export function joinLabelWords(labels: readonly string[]): { labels: string[]; losses: string[] } {
  const changed = labels.filter((label) => label.includes(' '));
  return {
    labels: [...new Set(labels.map((label) => label.replaceAll(' ', '_')))],
    losses: changed.map((label) => `with the label "${label}" as ${label.replaceAll(' ', '_')}`),
  };
}
