import { useId, useRef, useState } from 'react';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { TaskPriority, type Task } from '#client/tasks';
import { usePeople } from '../live/use-people.ts';
import { SelectField } from '../ui/field.tsx';
import { When } from '../ui/when.tsx';
import { AssigneeField } from './assignee-field.tsx';
import { dueDayOf, dueTimeOf, toDue } from './due.ts';
import type { Viewer } from './filters.ts';
import { LabelsField } from './labels-field.tsx';
import type { TaskRights } from './task-rights.ts';
import type { TaskEdit } from './use-task-edit.ts';
import { priorities, statuses } from './words.ts';

export interface FieldProps {
  task: Task;
  viewer: Viewer;
  edit: TaskEdit;
  locked: boolean;
}

interface TextProps {
  label: string;
  value: string;
  maxLength: number;
  multiline?: boolean;
  placeholder?: string;
  className: string;
  locked: boolean;
  onSave: (text: string) => void;
}

/**
 * A text that is edited where it stands. Somebody else's change shows up while it is not being edited; it is saved when
 * it is left, and Escape leaves it as it was.
 */
function InPlaceText(props: TextProps) {
  const { label, value, maxLength, multiline, placeholder, className, locked, onSave } = props;
  const [draft, setDraft] = useState<string>();
  const cancelled = useRef(false);
  const finish = (): void => {
    const text = draft?.trim();
    setDraft(undefined);
    if (!cancelled.current && text !== undefined && text !== value) onSave(text);
    cancelled.current = false;
  };
  return (
    <textarea
      className={`in-place ${className}`}
      aria-label={label}
      rows={1}
      readOnly={locked}
      maxLength={maxLength}
      placeholder={placeholder}
      value={draft ?? value}
      onChange={({ target }) => setDraft(multiline === true ? target.value : target.value.replaceAll('\n', ' '))}
      onFocus={() => setDraft(locked ? undefined : value)}
      onBlur={finish}
      onKeyDown={(event) => {
        const saves = event.key === 'Enter' && (multiline !== true || event.ctrlKey || event.metaKey);
        if (!saves && event.key !== 'Escape') return;
        event.preventDefault();
        cancelled.current = event.key === 'Escape';
        event.currentTarget.blur();
      }}
    />
  );
}

/** The version that is edited is the one that was there when the editing began. */
function useBase(task: Task) {
  const base = useRef<Task>(undefined);
  return {
    begin: () => {
      base.current ??= task;
    },
    take: (): Task => {
      const taken = base.current ?? task;
      base.current = undefined;
      return taken;
    },
  };
}

function DueField({ task, viewer, edit, locked }: FieldProps) {
  const id = useId();
  const day = dueDayOf(task, viewer.timeZone) ?? '';
  const time = dueTimeOf(task, viewer.timeZone) ?? '';
  const save = (nextDay: string, nextTime: string): void =>
    void edit.save(task, { due: toDue(nextDay, nextTime, viewer.timeZone) });
  return (
    <div className="field">
      <label htmlFor={id}>Due</label>
      <div className="row due-field">
        <input
          id={id}
          key={`day ${day}`}
          className="input grow"
          type="date"
          disabled={locked}
          defaultValue={day}
          onBlur={({ target }) => target.value !== day && target.validity.valid && save(target.value, time)}
        />
        <input
          key={`time ${time}`}
          className="input"
          type="time"
          aria-label="Due time"
          title={`Time of day in ${viewer.timeZone}; empty: the whole day`}
          defaultValue={time}
          disabled={locked || day === ''}
          onBlur={({ target }) => target.value !== time && save(day, target.value)}
        />
      </div>
    </div>
  );
}

function Texts({ task, edit, locked }: Omit<FieldProps, 'viewer'>) {
  const base = useBase(task);
  const saveText = (name: 'title' | 'description', text: string): void => {
    const from = base.take();
    if (name === 'description' || text !== '') void edit.save(from, { [name]: text });
  };
  return (
    <div onFocus={base.begin} onBlur={() => setTimeout(base.take)} className="stack">
      <InPlaceText
        label="Title"
        locked={locked}
        className="in-place-title"
        value={task.title}
        maxLength={200}
        onSave={(text) => saveText('title', text)}
      />
      <InPlaceText
        label="Description"
        locked={locked}
        className="in-place-description"
        placeholder={locked ? 'No description' : 'Add a description'}
        multiline
        value={task.description}
        maxLength={10_000}
        onSave={(text) => saveText('description', text)}
      />
    </div>
  );
}

type TaskFieldsProps = Omit<FieldProps, 'locked'> & { rights: TaskRights };

export function TaskFields({ task, viewer, edit, rights }: TaskFieldsProps) {
  const locked = !rights.write;
  const people = usePeople(task.projectId);
  const ownerName = task.ownerId === viewer.id ? 'you' : task.ownerName || 'somebody';
  return (
    <>
      <Texts task={task} edit={edit} locked={locked} />
      <div className="field-grid">
        <SelectField
          label="Status"
          disabled={!rights.status}
          choices={statuses}
          value={task.status}
          onChoose={(status) => void edit.save(task, { status })}
        />
        <SelectField
          label="Priority"
          disabled={locked}
          choices={priorities}
          value={task.priority === TaskPriority.UNSPECIFIED ? TaskPriority.MEDIUM : task.priority}
          onChoose={(priority) => void edit.save(task, { priority })}
        />
        <DueField {...{ task, viewer, edit, locked }} />
        <AssigneeField {...{ task, people, viewer, edit, locked }} />
      </div>
      <LabelsField {...{ task, edit, locked }} />
      <p className="small faint">
        Owned by {ownerName}
        {task.createTime !== undefined && (
          <>
            , created <When ms={timestampMs(task.createTime)} />
          </>
        )}
        {task.updateTime !== undefined && (
          <>
            , changed <When ms={timestampMs(task.updateTime)} />
          </>
        )}
        {rights.why !== undefined && `. ${rights.why}`}
      </p>
    </>
  );
}
