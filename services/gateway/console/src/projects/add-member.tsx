import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { TaskFlowError } from '#client/index';
import { ProjectRole, type Project } from '#client/tasks';
import { api } from '../api.ts';
import { Button } from '../ui/button.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { ErrorNotice, Notice } from '../ui/notice.tsx';
import { showToast } from '../ui/toast.tsx';
import { roleLabel, roles } from './roles.ts';

const hasReason = (error: unknown, reason: string): boolean =>
  error instanceof TaskFlowError && error.reason === reason;

interface InviteProps {
  project: Project;
  email: string;
  role: ProjectRole;
  onDone: () => void;
}

/** Offers a mail to somebody whom the person may not find, whether or not they have an account. */
function InviteByMail({ project, email, role, onDone }: InviteProps) {
  const queryClient = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const invite = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await api.projects.inviteMember({ projectId: project.id, email, role });
      await queryClient.invalidateQueries({ queryKey: ['projects'] });
      showToast(`${email} is invited`);
      onDone();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  if (hasReason(error, 'MAIL_OFF'))
    return (
      <Notice kind="warn">
        <strong>{email} cannot be found, and this server sends no mails</strong>
        <div>
          Ask them to create an account and to let others find them by e-mail, in their settings. Then add them here.
        </div>
      </Notice>
    );
  return (
    <>
      <Notice kind="warn" icon="mail">
        <strong>{email} cannot be found</strong>
        <div>
          A mail can invite them as {roleLabel(role).toLowerCase()}. Its link works once, for 7 days, with an account of
          this e-mail.
        </div>
        <div className="notice-actions">
          <Button look="primary" icon="mail" busy={busy} onClick={() => void invite()}>
            Invite by mail
          </Button>
        </div>
      </Notice>
      {error !== undefined && <ErrorNotice error={error} />}
    </>
  );
}

export function AddMember({ project, onClose }: { project: Project; onClose: () => void }) {
  const queryClient = useQueryClient();
  const [role, setRole] = useState<ProjectRole>(ProjectRole.EDITOR);
  const [email, setEmail] = useState('');
  return (
    <FormDialog
      title="Add a member"
      verb="Add"
      onClose={onClose}
      work={async (fields) => {
        setEmail(fields('email'));
        await api.projects.addMember({
          projectId: project.id,
          person: { case: 'email', value: fields('email') },
          role,
        });
        await queryClient.invalidateQueries({ queryKey: ['projects'] });
      }}
      explain={(error) =>
        hasReason(error, 'PERSON_NOT_FOUND') && (
          <InviteByMail key={email} project={project} email={email} role={role} onDone={onClose} />
        )
      }
    >
      <TextField
        label="E-mail"
        name="email"
        type="email"
        required
        hint="Whoever can be found by it becomes a member at once."
      />
      <SelectField
        label="Role"
        choices={roles.map(({ value, label, hint }) => ({ value, label: `${label}: ${hint}` }))}
        value={role}
        onChoose={setRole}
      />
    </FormDialog>
  );
}
