import * as Radix from '@radix-ui/react-dropdown-menu';
import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';

export interface MenuEntry {
  label: string;
  icon?: IconName;
  /** Shown before the label in place of an icon. */
  sign?: ReactNode;
  /** Of those of which one or several hold. */
  checked?: boolean;
  danger?: boolean;
  /** Stays open, for several choices. */
  stays?: boolean;
  onChoose: () => void;
}

interface MenuProps {
  /** The button that opens it. */
  trigger: ReactNode;
  /** Lines between the groups. */
  groups: readonly { title?: string; entries: readonly MenuEntry[] }[];
  align?: 'start' | 'end';
}

function Entry({ label, icon, sign, checked, danger, stays, onChoose }: MenuEntry) {
  const inside = (
    <>
      {sign ?? (icon !== undefined && <Icon name={icon} size={16} />)}
      <span>{label}</span>
      {checked === true && (
        <span className="end">
          <Icon name="check" size={15} />
        </span>
      )}
    </>
  );
  const common = {
    className: `menu-item${danger === true ? ' danger' : ''}`,
    onSelect: (event: Event) => {
      if (stays === true) event.preventDefault();
      onChoose();
    },
  };
  if (checked === undefined) return <Radix.Item {...common}>{inside}</Radix.Item>;
  return (
    <Radix.CheckboxItem {...common} checked={checked}>
      {inside}
    </Radix.CheckboxItem>
  );
}

export function Menu({ trigger, groups, align = 'start' }: MenuProps) {
  const shown = groups.filter(({ entries }) => entries.length > 0);
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content className="menu" align={align} sideOffset={5} collisionPadding={8}>
          {shown.map(({ title, entries }, index) => (
            <Radix.Group key={title ?? index}>
              {index > 0 && <Radix.Separator className="menu-line" />}
              {title !== undefined && <Radix.Label className="menu-label">{title}</Radix.Label>}
              {entries.map((entry) => (
                <Entry key={entry.label} {...entry} />
              ))}
            </Radix.Group>
          ))}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
