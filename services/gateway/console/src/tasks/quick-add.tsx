import { useState, type FormEvent, type Ref } from 'react';
import { usePeople, type Person } from '../live/use-people.ts';
import { Button } from '../ui/button.tsx';
import { describeError } from '../ui/describe-error.ts';
import { Icon } from '../ui/icon.tsx';
import { createTask, type NewTask } from './actions.ts';
import { dayInWords } from './days.ts';
import { toDue } from './due.ts';
import type { Viewer } from './filters.ts';
import { parseQuickTask, type QuickTask } from './quick-task.ts';
import { PrioritySign } from './signs.tsx';
import { priorityLabel } from './words.ts';

/** By e-mail, or by the beginning of a name that the viewer's tasks know. */
function findPerson(text: string, people: readonly Person[]): Person | undefined {
  const wanted = text.toLocaleLowerCase();
  return people.find(({ name }) => name.toLocaleLowerCase().split(/\s+/).some((part) => part.startsWith(wanted)));
}

const isEmail = (text: string): boolean => /^\S+@\S+$/.test(text);

function toNewTask(quick: QuickTask, people: readonly Person[], viewer: Viewer): NewTask {
  const { title, labels, priority, person = '', dueDay = '', dueTime } = quick;
  const assignee = isEmail(person) ? undefined : findPerson(person, person === '' ? [] : people);
  return {
    title,
    labels,
    due: toDue(dueDay, dueTime, viewer.timeZone),
    ...(priority !== undefined && { priority }),
    ...(assignee !== undefined && { assigneeId: assignee.id }),
    ...(isEmail(person) && { assigneeEmail: person }),
  };
}

/** What the line has been understood as, before it is sent. */
function Understood({ quick, people, viewer }: { quick: QuickTask; people: readonly Person[]; viewer: Viewer }) {
  const { priority, labels, person, dueDay, dueTime } = quick;
  const known = person === undefined || isEmail(person) ? person : findPerson(person, people)?.name;
  return (
    <>
      {priority !== undefined && (
        <span className="badge">
          <PrioritySign priority={priority} size={12} /> {priorityLabel(priority)}
        </span>
      )}
      {dueDay !== undefined && (
        <span className="badge accent">
          <Icon name="calendar" size={13} /> {[dayInWords(dueDay, viewer.today), dueTime].filter(Boolean).join(', ')}
        </span>
      )}
      {labels.map((label) => (
        <span key={label} className="badge">
          <Icon name="label" size={13} /> {label}
        </span>
      ))}
      {person !== undefined && (
        <span className={`badge ${known === undefined ? 'warn' : 'info'}`}>
          <Icon name="person" size={13} /> {known ?? `nobody called “${person}”: use an e-mail`}
        </span>
      )}
    </>
  );
}

interface QuickAddProps {
  /** Where the task goes. */
  projectId?: string | undefined;
  viewer: Viewer;
  inputRef: Ref<HTMLInputElement>;
}

export function QuickAdd({ projectId = '', viewer, inputRef }: QuickAddProps) {
  const people = usePeople(projectId);
  const [line, setLine] = useState('');
  const [error, setError] = useState<string>();
  const quick = parseQuickTask(line, viewer.today);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (quick.title === '') return;
    const before = line;
    setLine('');
    setError(undefined);
    createTask({ ...toNewTask(quick, people, viewer), projectId }).catch((failure: unknown) => {
        // What was typed comes back, unless something else is being typed.
        setLine((now) => (now === '' ? before : now));
        setError(describeError(failure).title);
      });
  };
  return (
    <form className="quick-add" onSubmit={submit}>
      <div className="quick-add-line">
        <Icon name="plus" />
        <input
          ref={inputRef}
          value={line}
          onChange={({ target }) => setLine(target.value)}
          placeholder="Add a task"
          aria-label="Add a task"
          aria-describedby="quick-add-hint"
          maxLength={400}
          enterKeyHint="done"
        />
        <kbd aria-hidden="true">N</kbd>
        {quick.title !== '' && (
          <Button type="submit" look="primary" compact>
            Add
          </Button>
        )}
      </div>
      <div className="quick-add-hint" id="quick-add-hint">
        {error !== undefined && (
          <span className="field-error" role="alert">
            {error}
          </span>
        )}
        {line === '' ? (
          <span>
            Try <code>Send the report !high #work @ada@example.com due:fri@17:00</code>
          </span>
        ) : (
          <Understood quick={quick} people={people} viewer={viewer} />
        )}
      </div>
    </form>
  );
}
