import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { NotificationChannel, type User } from '#client/users';
import { api } from '../api.ts';
import { useSubmit } from '../auth/use-submit.ts';
import { useMe } from '../session/use-session.ts';
import { Button } from '../ui/button.tsx';
import { findFieldError } from '../ui/describe-error.ts';
import { SelectField, TextField } from '../ui/field.tsx';
import { ErrorNotice } from '../ui/notice.tsx';
import { Section } from '../ui/table.tsx';
import { showToast } from '../ui/toast.tsx';

type Change = Partial<Pick<User, 'displayName' | 'timeZone' | 'overdueHour' | 'channels' | 'discoverable'>>;

const paths: Readonly<Record<keyof Change, string>> = {
  displayName: 'display_name',
  timeZone: 'time_zone',
  overdueHour: 'overdue_hour',
  channels: 'channels',
  discoverable: 'discoverable',
};

/** Changes what is named, as of the version that is shown. */
function useUpdateMe() {
  const me = useMe();
  const queryClient = useQueryClient();
  return async (change: Change): Promise<void> => {
    const names = Object.keys(change) as (keyof Change)[];
    // Shown at once; where it fails, the field is as before and the error says why.
    queryClient.setQueryData(['me'], { ...me, ...change });
    try {
      const { user } = await api.users.updateUser({
        user: { id: me.id, etag: me.etag, ...change },
        updateMask: { paths: names.map((name) => paths[name]) },
      });
      queryClient.setQueryData(['me'], user);
      showToast('Saved');
    } catch (error) {
      queryClient.setQueryData(['me'], me);
      throw error;
    }
  };
}

function Person() {
  const me = useMe();
  const update = useUpdateMe();
  const zones = Intl.supportedValuesOf('timeZone');
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { busy, error, onSubmit } = useSubmit(async (fields) =>
    update({ displayName: fields('name'), timeZone: fields('zone') }),
  );
  return (
    <Section title="You">
      <form className="inline-form" onSubmit={onSubmit}>
        {error !== undefined && <ErrorNotice error={error} />}
        <TextField
          label="Name"
          name="name"
          required
          maxLength={100}
          defaultValue={me.displayName}
          key={me.displayName}
          error={findFieldError(error, 'display_name')}
        />
        <TextField
          label="Time zone"
          name="zone"
          list="time-zones"
          required
          defaultValue={me.timeZone}
          key={`zone ${me.timeZone}`}
          hint={own === me.timeZone ? 'Due dates end with the day there.' : `This device is in ${own}.`}
          error={findFieldError(error, 'time_zone')}
        />
        <datalist id="time-zones">
          {['UTC', ...zones].map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
        <span>
          <Button type="submit" look="primary" busy={busy}>
            Save
          </Button>
        </span>
      </form>
    </Section>
  );
}

/** As the contract has it. */
const usualHour = 9;
const hours = Array.from({ length: 24 }, (_, hour) => ({ value: hour, label: `${String(hour).padStart(2, '0')}:00` }));

const channels = [
  { value: NotificationChannel.INBOX, label: 'In the inbox' },
  { value: NotificationChannel.EMAIL, label: 'By e-mail' },
  { value: NotificationChannel.WEBHOOK, label: 'By webhooks' },
];

function Notifications() {
  const me = useMe();
  const update = useUpdateMe();
  const [error, setError] = useState<unknown>();
  const save = (change: Change): void => {
    setError(undefined);
    update(change).catch(setError);
  };
  return (
    <Section title="Notifications" lead="How you hear of what is overdue, changed or given to you.">
      {error !== undefined && <ErrorNotice error={error} />}
      <fieldset className="stack">
        <legend className="visually-hidden">Ways</legend>
        {channels.map(({ value, label }) => (
          <label key={value} className="check">
            <input
              type="checkbox"
              checked={me.channels.includes(value)}
              onChange={({ target }) => {
                const others = me.channels.filter((each) => each !== value);
                save({ channels: target.checked ? [...others, value] : others });
              }}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <div className="inline-form">
        <SelectField
          label="When a day has ended on which a task was due, tell me at"
          choices={hours}
          value={me.overdueHour ?? usualHour}
          onChoose={(overdueHour) => save({ overdueHour })}
          hint="Of a task that was due at a time of day you hear at once."
        />
      </div>
    </Section>
  );
}

function Privacy() {
  const me = useMe();
  const update = useUpdateMe();
  const [error, setError] = useState<unknown>();
  return (
    <Section title="Being found">
      {error !== undefined && <ErrorNotice error={error} />}
      <label className="check">
        <input
          type="checkbox"
          checked={me.discoverable === true}
          onChange={({ target }) => {
            setError(undefined);
            update({ discoverable: target.checked }).catch(setError);
          }}
        />
        <span>
          Whoever knows my e-mail may find me
          <span className="field-hint" style={{ display: 'block' }}>
            Then they can give me tasks and add me to projects. People with whom you share a task always can.
          </span>
        </span>
      </label>
    </Section>
  );
}

export function ProfileSettings() {
  return (
    <>
      <Person />
      <Notifications />
      <Privacy />
    </>
  );
}
