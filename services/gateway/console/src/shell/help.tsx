import { Dialog } from '../ui/dialog.tsx';

const groups: readonly { title: string; keys: readonly [string, string][] }[] = [
  {
    title: 'Everywhere',
    keys: [
      ['T', 'My tasks'],
      ['I', 'Inbox'],
      ['P', 'Projects'],
      ['?', 'This list'],
    ],
  },
  {
    title: 'Tasks',
    keys: [
      ['N', 'Add a task'],
      ['/', 'Search'],
      ['B', 'List or board'],
      ['↑ ↓ or K J', 'Move in the list'],
      ['Enter', 'Open the task'],
      ['C', 'Complete or reopen'],
      ['X', 'Select; with Shift up to here'],
      ['Alt ← →', 'Move a card on the board'],
      ['Esc', 'Close the task'],
    ],
  },
];

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      {groups.map(({ title, keys }) => (
        <section key={title}>
          <h3>{title}</h3>
          <dl className="keys">
            {keys.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
