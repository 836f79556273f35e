import { useId, useState, type FormEvent } from 'react';
import * as Popover from '@radix-ui/react-popover';
import type { Task } from '#client/tasks';
import type { Person } from '../live/use-people.ts';
import { useMe } from '../session/use-session.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import type { Viewer } from './filters.ts';
import type { TaskEdit } from './use-task-edit.ts';

interface AssigneeFieldProps {
  task: Task;
  people: readonly Person[];
  viewer: Viewer;
  edit: TaskEdit;
  locked: boolean;
}

/** Members of the project; without one, people whom one works with already, and anybody by e-mail. */
function Picker({ task, people, viewer, edit, onDone }: AssigneeFieldProps & { onDone: () => void }) {
  const me = useMe();
  const [text, setText] = useState('');
  const wanted = text.trim().toLocaleLowerCase();
  const others = people.filter(({ id }) => id !== viewer.id);
  const isOffered = task.projectId === '' || others.length < people.length;
  const choices = [...(isOffered ? [{ id: viewer.id, name: 'Me' }] : []), ...others]
    .filter(({ name }) => name.toLocaleLowerCase().includes(wanted))
    .slice(0, 8);
  const choose = (assigneeId: string): void => {
    onDone();
    if (assigneeId !== task.assigneeId) void edit.save(task, { assigneeId });
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    if (wanted.includes('@')) {
      onDone();
      void edit.save(task, {}, text.trim());
    } else if (choices[0] !== undefined) choose(choices[0].id);
  };
  return (
    <form onSubmit={submit}>
      <input
        className="input"
        value={text}
        onChange={({ target }) => setText(target.value)}
        placeholder="Name or e-mail"
        aria-label="Name or e-mail of the assignee"
        autoComplete="off"
        autoFocus
      />
      <div className="picker" role="group" aria-label="People">
        {choices.map(({ id, name }) => (
          <button key={id} type="button" className="menu-item" onClick={() => choose(id)}>
            <Avatar id={id} name={id === me.id ? me.displayName : name} /> <span className="truncate">{name}</span>
            {id === task.assigneeId && (
              <span className="end">
                <Icon name="check" size={15} />
              </span>
            )}
          </button>
        ))}
        {wanted.includes('@') && (
          <button type="submit" className="menu-item">
            <Icon name="mail" size={16} /> Assign to {text.trim()}
          </button>
        )}
        {task.assigneeId !== '' && (
          <button type="button" className="menu-item" onClick={() => choose('')}>
            <Icon name="close" size={16} /> Nobody
          </button>
        )}
      </div>
    </form>
  );
}

export function AssigneeField(props: AssigneeFieldProps) {
  const { task, viewer, locked } = props;
  const [open, setOpen] = useState(false);
  const id = useId();
  const name = task.assigneeId === viewer.id ? 'Me' : task.assigneeName || 'Somebody';
  return (
    <div className="field">
      <span className="field-label" id={id}>
        Assignee
      </span>
      <Popover.Root open={open} onOpenChange={setOpen}>
        <Popover.Trigger asChild>
          <Button className="assignee-button" disabled={locked} aria-describedby={id}>
            {task.assigneeId === '' ? (
              <span className="faint">Nobody</span>
            ) : (
              <>
                <Avatar id={task.assigneeId} name={task.assigneeName} /> <span className="truncate">{name}</span>
              </>
            )}
          </Button>
        </Popover.Trigger>
        <Popover.Portal>
          <Popover.Content
            className="menu picker-popover"
            align="start"
            sideOffset={5}
            collisionPadding={8}
            aria-label="Choose an assignee"
          >
            <Picker {...props} onDone={() => setOpen(false)} />
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
    </div>
  );
}
