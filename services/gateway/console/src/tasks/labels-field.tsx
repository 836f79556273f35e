import { useId, useState } from 'react';
import type { Task } from '#client/tasks';
import { useLabels } from '../live/use-tasks.ts';
import { Icon } from '../ui/icon.tsx';
import type { TaskEdit } from './use-task-edit.ts';

const most = 20;

export function LabelsField({ task, edit, locked }: { task: Task; edit: TaskEdit; locked: boolean }) {
  const [text, setText] = useState('');
  const id = useId();
  const known = useLabels().filter((label) => !task.labels.includes(label));
  const add = (): void => {
    const label = text.trim().replace(/^#/, '');
    setText('');
    if (label !== '' && !task.labels.includes(label)) void edit.save(task, { labels: [...task.labels, label] });
  };
  const remove = (label: string): void =>
    void edit.save(task, { labels: task.labels.filter((each) => each !== label) });
  return (
    <div className="field">
      <label htmlFor={id}>Labels</label>
      <div className="labels-input">
        {task.labels.map((label) => (
          <span key={label} className="badge">
            {label}
            <button type="button" className="bare" disabled={locked} aria-label={`Remove label ${label}`} onClick={() => remove(label)}>
              <Icon name="close" size={12} />
            </button>
          </span>
        ))}
        {task.labels.length < most && (
          <input
            id={id}
            disabled={locked}
            value={text}
            list={`${id}-known`}
            maxLength={50}
            placeholder={task.labels.length === 0 ? 'Add a label' : 'Add'}
            onChange={({ target }) => setText(target.value)}
            onBlur={add}
            onKeyDown={(event) => {
              if (event.key === 'Backspace' && text === '' && task.labels.length > 0)
                remove(task.labels.at(-1) as string);
              if (event.key !== 'Enter' && event.key !== ',') return;
              event.preventDefault();
              add();
            }}
          />
        )}
        <datalist id={`${id}-known`}>
          {known.slice(0, 50).map((label) => (
            <option key={label} value={label} />
          ))}
        </datalist>
      </div>
    </div>
  );
}
