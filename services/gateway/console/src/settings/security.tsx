import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Session } from '#client/auth';
import { api, session as browserSession } from '../api.ts';
import { useSubmit } from '../auth/use-submit.ts';
import { useMe } from '../session/use-session.ts';
import { reportFailure } from '../tasks/report-failure.ts';
import { Button } from '../ui/button.tsx';
import { findFieldError } from '../ui/describe-error.ts';
import { TextField } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { Icon } from '../ui/icon.tsx';
import { ErrorNotice } from '../ui/notice.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { Section } from '../ui/table.tsx';
import { showToast } from '../ui/toast.tsx';
import { When } from '../ui/when.tsx';
import { deviceOf } from './device.ts';

function Password() {
  const { busy, error, onSubmit } = useSubmit(async (fields, form) => {
    await api.auth.changePassword({ currentPassword: fields('current'), newPassword: fields('new') });
    form.reset();
    showToast('Your password is changed');
  });
  const newError = findFieldError(error, 'new_password');
  return (
    <Section title="Password">
      <form className="inline-form" onSubmit={onSubmit}>
        {error !== undefined && newError === undefined && <ErrorNotice error={error} />}
        <TextField label="Current password" name="current" type="password" autoComplete="current-password" required />
        <TextField
          label="New password"
          name="new"
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          hint="At least 8 characters."
          error={newError}
        />
        <span>
          <Button type="submit" look="primary" busy={busy}>
            Change password
          </Button>
        </span>
      </form>
    </Section>
  );
}

function ChangeEmail({ onClose }: { onClose: () => void }) {
  const queryClient = useQueryClient();
  return (
    <FormDialog
      title="Change e-mail"
      verb="Change"
      onClose={onClose}
      work={async (fields) => {
        const { pendingEmail } = await api.auth.changeEmail({
          newEmail: fields('email'),
          currentPassword: fields('password'),
        });
        showToast(pendingEmail === '' ? 'Your e-mail is changed' : `Open the link that was sent to ${pendingEmail}`);
        await queryClient.invalidateQueries({ queryKey: ['me'] });
      }}
    >
      <TextField label="New e-mail" name="email" type="email" required />
      <TextField label="Password" name="password" type="password" autoComplete="current-password" required />
    </FormDialog>
  );
}

function Email() {
  const me = useMe();
  const [changing, setChanging] = useState(false);
  return (
    <Section title="E-mail" actions={<Button onClick={() => setChanging(true)}>Change</Button>}>
      <p className="row">
        {me.email}
        {me.emailVerified ? <span className="badge good">Verified</span> : <span className="badge warn">Not verified</span>}
      </p>
      {changing && <ChangeEmail onClose={() => setChanging(false)} />}
    </Section>
  );
}

function SessionLine({ session, onEnd }: { session: Session; onEnd: () => void }) {
  return (
    <li className="session-line">
      <Icon name="lock" />
      <span className="grow">
        <span className="row">
          <strong title={session.userAgent}>{deviceOf(session.userAgent)}</strong>
          {session.current && <span className="badge accent">This one</span>}
        </span>
        <span className="small faint">
          {session.ipAddress}
          {session.lastUseTime !== undefined && (
            <>
              , last used <When ms={timestampMs(session.lastUseTime)} />
            </>
          )}
        </span>
      </span>
      {!session.current && (
        <Button compact onClick={onEnd} aria-label={`End the session of ${deviceOf(session.userAgent)}`}>
          End
        </Button>
      )}
    </li>
  );
}

function Sessions() {
  const queryClient = useQueryClient();
  const settled = () => queryClient.invalidateQueries({ queryKey: ['sessions'] });
  const paged = usePaged<Session>({
    queryKey: ['sessions'],
    fetchPage: async (pageToken, signal) => {
      const { sessions, nextPageToken } = await api.auth.listSessions({ pageToken }, { signal });
      return { items: sessions, nextPageToken };
    },
  });
  const end = useMutation({
    mutationFn: (sessionId: string) => api.auth.revokeSession({ sessionId }),
    onError: reportFailure,
    onSettled: settled,
  });
  const endOthers = useMutation({
    mutationFn: () => api.auth.revokeOtherSessions({}),
    onSuccess: ({ revokedCount }) => showToast(`${revokedCount} sessions are ended`),
    onError: reportFailure,
    onSettled: settled,
  });
  return (
    <Section
      title="Where you are signed in"
      actions={
        <Button busy={endOthers.isPending} onClick={() => endOthers.mutate()}>
          End all others
        </Button>
      }
    >
      <Paged paged={paged} empty={null}>
        {(sessions) => (
          <ul>
            {sessions.map((one) => (
              <SessionLine key={one.id} session={one} onEnd={() => end.mutate(one.id)} />
            ))}
          </ul>
        )}
      </Paged>
    </Section>
  );
}

function DeleteAccount({ onClose }: { onClose: () => void }) {
  const me = useMe();
  return (
    <FormDialog
      title="Delete your account?"
      verb="Delete my account"
      onClose={onClose}
      work={async (fields) => {
        await api.auth.deleteAccount({
          accountId: me.id,
          currentPassword: fields('password'),
          successorEmail: fields('successor'),
        });
        await browserSession.logout().catch(() => undefined);
      }}
    >
      <p className="soft">
        You are signed out everywhere. For a while you can take it back with your password; then everything of yours is
        removed.
      </p>
      <TextField label="Password" name="password" type="password" autoComplete="current-password" required />
      <TextField
        label="Who gets your tasks"
        name="successor"
        type="email"
        hint="An e-mail; without one, your tasks are removed too."
      />
    </FormDialog>
  );
}

export function SecuritySettings() {
  const [deleting, setDeleting] = useState(false);
  return (
    <>
      <Email />
      <Password />
      <Sessions />
      <Section
        title="Delete account"
        lead="Your tasks, settings and sessions go with it."
        actions={
          <Button look="danger" onClick={() => setDeleting(true)}>
            Delete account
          </Button>
        }
      />
      {deleting && <DeleteAccount onClose={() => setDeleting(false)} />}
    </>
  );
}
