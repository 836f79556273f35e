import { useState } from 'react';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Role as AccountRole } from '#client/auth';
import { Role, type User } from '#client/users';
import { api } from '../api.ts';
import { useMe } from '../session/use-session.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Segmented } from '../ui/field.tsx';
import { Icon } from '../ui/icon.tsx';
import { Menu, type MenuEntry } from '../ui/menu.tsx';
import { Empty } from '../ui/notice.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { Secret } from '../ui/secret.tsx';
import { Section, Table } from '../ui/table.tsx';
import { When } from '../ui/when.tsx';
import { CreateAccount, DeleteAccount, InvitePerson } from './account-dialogs.tsx';
import { useAction } from './use-action.ts';

type Asking = 'create' | 'invite' | { deleting: User } | undefined;
/** A secret that is shown once, and what it is. */
export interface Shown {
  title: string;
  label: string;
  value: string;
}

const queryKey = ['accounts'];

function badgesOf({ role, enabled, serviceAccount, emailVerified, purgeTime }: User): { label: string; tone: string }[] {
  return [
    ...(role === Role.ADMIN ? [{ label: 'Administrator', tone: 'accent' }] : []),
    ...(serviceAccount ? [{ label: 'Program', tone: 'info' }] : []),
    ...(purgeTime === undefined ? [] : [{ label: 'Being deleted', tone: 'danger' }]),
    ...(enabled || purgeTime !== undefined ? [] : [{ label: 'Disabled', tone: 'warn' }]),
    ...(emailVerified || serviceAccount ? [] : [{ label: 'Not verified', tone: '' }]),
  ];
}

interface ActionsProps {
  user: User;
  onDelete: () => void;
  onShow: (shown: Shown) => void;
}

function useEntries({ user, onDelete, onShow }: ActionsProps): MenuEntry[] {
  const { run } = useAction(queryKey);
  const { id: accountId, displayName: name } = user;
  const setRole = (role: AccountRole, done: string) => () => run(done, () => api.auth.setRole({ accountId, role }));
  const reset = async (): Promise<void> => {
    const { token } = await api.auth.createPasswordReset({ accountId });
    const value = `${location.origin}/reset-password#token=${encodeURIComponent(token)}`;
    onShow({ title: `A link for ${name}`, label: 'link', value });
  };
  if (user.purgeTime !== undefined)
    return [
      {
        label: 'Take back the deletion',
        icon: 'history',
        onChoose: () => run(`${name} is back`, () => api.auth.undeleteAccount({ accountId })),
      },
    ];
  return [
    user.role === Role.ADMIN
      ? { label: 'Make a user', icon: 'person', onChoose: setRole(AccountRole.USER, `${name} is a user`) }
      : { label: 'Make an administrator', icon: 'shield', onChoose: setRole(AccountRole.ADMIN, `${name} is an administrator`) },
    { label: 'Link for a new password', icon: 'lock', onChoose: () => run('The link is made', reset) },
    user.enabled
      ? { label: 'Disable', icon: 'close', onChoose: () => run(`${name} is disabled`, () => api.auth.disableAccount({ accountId })) }
      : { label: 'Enable', icon: 'check', onChoose: () => run(`${name} is enabled`, () => api.auth.enableAccount({ accountId })) },
    { label: 'Delete', icon: 'trash', danger: true, onChoose: onDelete },
  ];
}

function AccountRow(props: ActionsProps) {
  const me = useMe();
  const { user } = props;
  const entries = useEntries(props);
  return (
    <tr>
      <td>
        <span className="row">
          <Avatar id={user.id} name={user.displayName} />
          <strong>{user.displayName}</strong>
        </span>
      </td>
      <td className="wrap">{user.email}</td>
      <td>
        <span className="row" style={{ gap: 4 }}>
          {badgesOf(user).map(({ label, tone }) => (
            <span key={label} className={`badge ${tone}`}>
              {label}
            </span>
          ))}
        </span>
      </td>
      <td>{user.createTime !== undefined && <When ms={timestampMs(user.createTime)} />}</td>
      <td className="end">
        {user.id !== me.id && (
          <Menu
            align="end"
            trigger={<IconButton icon="more" label={`More about ${user.displayName}`} compact />}
            groups={[{ entries }]}
          />
        )}
      </td>
    </tr>
  );
}

type Which = 'all' | 'admins' | 'disabled';

const requestOf: Readonly<Record<Which, { roles?: Role[]; enabled?: boolean }>> = {
  all: {},
  admins: { roles: [Role.ADMIN] },
  disabled: { enabled: false },
};

function useUsers(query: string, which: Which) {
  return usePaged<User>({
    queryKey: [...queryKey, query, which],
    fetchPage: async (pageToken, signal) => {
      const { users, nextPageToken } = await api.users.listUsers({ pageToken, query, ...requestOf[which] }, { signal });
      return { items: users, nextPageToken };
    },
  });
}

function Search({ onSearch }: { onSearch: (text: string) => void }) {
  return (
    <label className="search">
      <Icon name="search" size={16} />
      <span className="visually-hidden">Search accounts</span>
      <input type="search" placeholder="Name or e-mail" onChange={({ target }) => onSearch(target.value.trim())} />
    </label>
  );
}

export function Accounts() {
  const [query, setQuery] = useState('');
  const [which, setWhich] = useState<Which>('all');
  const [asking, setAsking] = useState<Asking>();
  const [shown, setShown] = useState<Shown>();
  const paged = useUsers(query, which);
  const close = (): void => setAsking(undefined);
  return (
    <Section
      title="Accounts"
      actions={
        <>
          <Button icon="mail" onClick={() => setAsking('invite')}>
            Invite
          </Button>
          <Button look="primary" icon="plus" onClick={() => setAsking('create')}>
            Create
          </Button>
        </>
      }
    >
      <div className="row">
        <Search onSearch={setQuery} />
        <Segmented
          label="Which"
          choices={[
            { value: 'all', label: 'All' },
            { value: 'admins', label: 'Administrators' },
            { value: 'disabled', label: 'Disabled' },
          ]}
          value={which}
          onChoose={setWhich}
        />
      </div>
      <Paged paged={paged} empty={<Empty icon="person" title="Nobody matches" />}>
        {(users) => (
          <Table label="Accounts" columns={['Name', 'E-mail', 'Is', 'Since', '']}>
            {users.map((user) => (
              <AccountRow key={user.id} user={user} onDelete={() => setAsking({ deleting: user })} onShow={setShown} />
            ))}
          </Table>
        )}
      </Paged>
      {asking === 'create' && <CreateAccount onClose={close} />}
      {asking === 'invite' && <InvitePerson onClose={close} onShow={setShown} />}
      {typeof asking === 'object' && <DeleteAccount user={asking.deleting} onClose={close} />}
      {shown !== undefined && (
        <Dialog title={shown.title} onClose={() => setShown(undefined)}>
          <p className="soft">Give it to that person alone, by a way that you trust. It is shown this once.</p>
          <Secret label={shown.label} value={shown.value} />
        </Dialog>
      )}
    </Section>
  );
}
