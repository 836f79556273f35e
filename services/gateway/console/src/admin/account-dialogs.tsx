import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Role } from '#client/auth';
import type { User } from '#client/users';
import { api } from '../api.ts';
import { SelectField, TextField } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { showToast } from '../ui/toast.tsx';
import type { Shown } from './accounts.tsx';

const roles = [
  { value: Role.USER, label: 'User' },
  { value: Role.ADMIN, label: 'Administrator' },
];

interface DialogProps {
  onClose: () => void;
}

export function CreateAccount({ onClose }: DialogProps) {
  const queryClient = useQueryClient();
  const [role, setRole] = useState<Role>(Role.USER);
  return (
    <FormDialog
      title="Create an account"
      verb="Create"
      onClose={onClose}
      work={async (fields) => {
        await api.auth.createAccount({
          email: fields('email'),
          displayName: fields('name'),
          password: fields('password'),
          role,
        });
        showToast(`${fields('name')} has an account`);
        await queryClient.invalidateQueries({ queryKey: ['accounts'] });
      }}
    >
      <TextField label="Name" name="name" required maxLength={100} />
      <TextField label="E-mail" name="email" type="email" required />
      <TextField
        label="First password"
        name="password"
        type="password"
        autoComplete="new-password"
        hint="Empty: they choose one by a link, which you can make afterwards."
      />
      <SelectField label="Role" choices={roles} value={role} onChoose={setRole} />
    </FormDialog>
  );
}

export function InvitePerson({ onClose, onShow }: DialogProps & { onShow: (shown: Shown) => void }) {
  return (
    <FormDialog
      title="Invite somebody"
      verb="Invite"
      onClose={onClose}
      work={async (fields) => {
        const { token } = await api.auth.inviteUser({ email: fields('email') });
        if (token === '') return showToast(`A mail is on its way to ${fields('email')}`);
        const value = `${location.origin}/invitation#token=${encodeURIComponent(token)}`;
        return onShow({ title: `An invitation for ${fields('email')}`, label: 'link', value });
      }}
    >
      <TextField label="E-mail" name="email" type="email" required hint="They choose a name and a password." />
    </FormDialog>
  );
}

export function DeleteAccount({ user, onClose }: DialogProps & { user: User }) {
  const queryClient = useQueryClient();
  return (
    <FormDialog
      title={`Delete ${user.displayName}?`}
      verb="Delete account"
      onClose={onClose}
      work={async (fields) => {
        await api.auth.deleteAccount({ accountId: user.id, successorEmail: fields('successor') });
        showToast(`${user.displayName} is being deleted`);
        await queryClient.invalidateQueries({ queryKey: ['accounts'] });
      }}
    >
      <p className="soft">For a while it can be taken back. Then everything of this person is removed everywhere.</p>
      <TextField
        label="Who gets the tasks"
        name="successor"
        type="email"
        hint="An e-mail; without one, the tasks are removed too."
      />
    </FormDialog>
  );
}
