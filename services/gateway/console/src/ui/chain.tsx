import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';

export interface ChainStep {
  tone: 'good' | 'warn' | 'danger' | '';
  icon: IconName;
  title: string;
  body?: ReactNode;
}

/** What led to something, step by step. */
export function Chain({ steps }: { steps: readonly ChainStep[] }) {
  return (
    <ol className="chain">
      {steps.map(({ tone, icon, title, body }, index) => (
        <li key={index} className={`chain-step ${tone}`}>
          <span className="chain-sign">
            <Icon name={icon} />
          </span>
          <div>
            <h3>{title}</h3>
            <div className="soft small">{body}</div>
          </div>
        </li>
      ))}
    </ol>
  );
}
