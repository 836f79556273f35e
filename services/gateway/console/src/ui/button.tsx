import type { ComponentProps } from 'react';
import { Icon, type IconName } from './icon.tsx';

interface ButtonProps extends ComponentProps<'button'> {
  look?: 'primary' | 'danger' | 'quiet' | 'plain';
  compact?: boolean;
  wide?: boolean;
  icon?: IconName;
  /** The click is being carried out: shown, and not taken again. */
  busy?: boolean;
}

export function Button({ look = 'plain', compact, wide, icon, busy, className, children, ...rest }: ButtonProps) {
  const looks = [look, compact === true && 'compact', wide === true && 'wide', className];
  const classes = ['button', ...looks].filter(Boolean).join(' ');
  return (
    <button type="button" {...rest} className={classes} disabled={rest.disabled === true || busy === true}>
      {busy === true ? <span className="spinner" /> : icon !== undefined && <Icon name={icon} size={16} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends ComponentProps<'button'> {
  icon: IconName;
  label: string;
  compact?: boolean;
}

/** A button with a sign alone; its label is read and shown on hover. */
export function IconButton({ icon, label, compact, ...rest }: IconButtonProps) {
  const classes = `button quiet icon${compact === true ? ' compact' : ''}`;
  return (
    <button type="button" {...rest} className={classes} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}
