import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Scope, type PersonalToken } from '#client/auth';
import { api } from '../api.ts';
import { reportFailure } from '../tasks/report-failure.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { Empty } from '../ui/notice.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { Secret } from '../ui/secret.tsx';
import { Section, Table } from '../ui/table.tsx';
import { When } from '../ui/when.tsx';

/** "TASKS_READ" as "tasks read"; those that no token can have are left out. */
const scopes = Object.entries(Scope)
  .filter(([name, value]) => typeof value === 'number' && !/UNSPECIFIED|SESSION_ONLY|ANY/.test(name))
  .map(([name, value]) => ({ value: value as Scope, label: name.toLowerCase().replaceAll('_', ' ') }));

const scopeLabel = (scope: Scope): string => scopes.find(({ value }) => value === scope)?.label ?? 'other';

const daySeconds = 86_400;
const lifetimes = [
  { value: 7, label: 'A week' },
  { value: 30, label: '30 days' },
  { value: 90, label: '90 days' },
  { value: 365, label: 'A year' },
];

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (token: string) => void }) {
  const queryClient = useQueryClient();
  const [chosen, setChosen] = useState<readonly Scope[]>([]);
  const [days, setDays] = useState(90);
  return (
    <FormDialog
      title="New personal token"
      verb="Create token"
      onClose={onClose}
      work={async (fields) => {
        const { token } = await api.auth.createPersonalToken({
          name: fields('name'),
          scopes: [...chosen],
          ttl: { seconds: BigInt(days * daySeconds) },
        });
        await queryClient.invalidateQueries({ queryKey: ['tokens'] });
        onMade(token);
      }}
    >
      <TextField label="Name" name="name" required maxLength={100} hint="What will use it, such as backup." />
      <fieldset>
        <legend className="field-label">What it may do</legend>
        <div className="form-row" style={{ paddingTop: 8, gap: 8 }}>
          {scopes.map(({ value, label }) => (
            <label key={value} className="check">
              <input
                type="checkbox"
                checked={chosen.includes(value)}
                onChange={({ target }) =>
                  setChosen(target.checked ? [...chosen, value] : chosen.filter((each) => each !== value))
                }
              />
              {label}
            </label>
          ))}
        </div>
      </fieldset>
      <SelectField label="Valid for" choices={lifetimes} value={days} onChoose={setDays} />
    </FormDialog>
  );
}

function stateOf({ revokeTime, expireTime }: PersonalToken): { label: string; tone: string } {
  if (revokeTime !== undefined) return { label: 'Revoked', tone: '' };
  const isOver = expireTime !== undefined && timestampMs(expireTime) <= Date.now();
  return isOver ? { label: 'Expired', tone: '' } : { label: 'Valid', tone: 'good' };
}

function TokenRow({ token, onRevoke }: { token: PersonalToken; onRevoke: () => void }) {
  const { label, tone } = stateOf(token);
  return (
    <tr>
      <td>
        <strong>{token.name}</strong>
      </td>
      <td className="wrap">{token.scopes.map(scopeLabel).join(', ')}</td>
      <td>
        <span className={`badge ${tone}`}>{label}</span>
      </td>
      <td>{token.expireTime !== undefined && <When ms={timestampMs(token.expireTime)} />}</td>
      <td>{token.lastUseTime === undefined ? 'never' : <When ms={timestampMs(token.lastUseTime)} />}</td>
      <td className="end">
        {label === 'Valid' && (
          <Button compact look="danger" onClick={onRevoke} aria-label={`Revoke ${token.name}`}>
            Revoke
          </Button>
        )}
      </td>
    </tr>
  );
}

export function TokenSettings() {
  const queryClient = useQueryClient();
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<string>();
  const paged = usePaged<PersonalToken>({
    queryKey: ['tokens'],
    fetchPage: async (pageToken, signal) => {
      const answer = await api.auth.listPersonalTokens({ pageToken }, { signal });
      return { items: answer.personalTokens, nextPageToken: answer.nextPageToken };
    },
  });
  const revoke = useMutation({
    mutationFn: (personalTokenId: string) => api.auth.revokePersonalToken({ personalTokenId }),
    onError: reportFailure,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['tokens'] }),
  });
  return (
    <Section
      title="Personal tokens"
      lead="For programs that act as you: scripts, agents, the command line. Each may do what you allow it, and no more."
      actions={
        <Button look="primary" icon="plus" onClick={() => setCreating(true)}>
          New token
        </Button>
      }
    >
      <Paged paged={paged} empty={<Empty icon="lock" title="No tokens" />}>
        {(tokens) => (
          <Table label="Personal tokens" columns={['Name', 'May', 'State', 'Ends', 'Last used', '']}>
            {tokens.map((token) => (
              <TokenRow key={token.id} token={token} onRevoke={() => revoke.mutate(token.id)} />
            ))}
          </Table>
        )}
      </Paged>
      {creating && <NewToken onClose={() => setCreating(false)} onMade={setMade} />}
      {made !== undefined && (
        <Dialog title="Your new token" onClose={() => setMade(undefined)}>
          <p className="soft">Copy it now. It is shown this once.</p>
          <Secret label="token" value={made} />
        </Dialog>
      )}
    </Section>
  );
}
