import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { NotificationKind, WebhookState, type Webhook } from '#client/scheduler';
import { api } from '../api.ts';
import { reportFailure } from '../tasks/report-failure.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { TextField } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { Menu } from '../ui/menu.tsx';
import { Empty, Notice } from '../ui/notice.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { Secret } from '../ui/secret.tsx';
import { Section } from '../ui/table.tsx';
import { showToast } from '../ui/toast.tsx';
import { When } from '../ui/when.tsx';
import { Deliveries } from './deliveries.tsx';

const kinds = [
  { value: NotificationKind.OVERDUE, label: 'A task is overdue' },
  { value: NotificationKind.OVERDUE_DIGEST, label: 'Many tasks are overdue' },
  { value: NotificationKind.STATUS_CHANGED, label: 'Somebody changed the status' },
  { value: NotificationKind.ASSIGNED, label: 'A task was assigned to me' },
];

function NewWebhook({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) {
  const queryClient = useQueryClient();
  const [chosen, setChosen] = useState<readonly NotificationKind[]>(kinds.map(({ value }) => value));
  return (
    <FormDialog
      title="New webhook"
      verb="Create webhook"
      onClose={onClose}
      work={async (fields) => {
        const webhook = { url: fields('url'), description: fields('description'), kinds: [...chosen] };
        const { secret } = await api.notifications.createWebhook({ webhook });
        await queryClient.invalidateQueries({ queryKey: ['webhooks'] });
        onMade(secret);
      }}
    >
      <TextField label="URL" name="url" type="url" required placeholder="https://" />
      <TextField label="What it is for" name="description" maxLength={200} />
      <fieldset className="stack" style={{ gap: 8 }}>
        <legend className="field-label">It is called when</legend>
        {kinds.map(({ value, label }) => (
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
      </fieldset>
    </FormDialog>
  );
}

type Asking = 'delete' | undefined;

function WebhookActions({ webhook, onSecret, onAsk }: WebhookProps & { onAsk: (asking: Asking) => void }) {
  const { id: webhookId, etag } = webhook;
  const rotate = async (): Promise<void> => onSecret((await api.notifications.rotateWebhookSecret({ webhookId, etag })).secret);
  return (
    <Menu
      align="end"
      trigger={<IconButton icon="more" label="More about this webhook" />}
      groups={[
        { entries: [{ label: 'New secret', icon: 'lock', onChoose: () => void rotate().catch(reportFailure) }] },
        { entries: [{ label: 'Delete', icon: 'trash', danger: true, onChoose: () => onAsk('delete') }] },
      ]}
    />
  );
}

interface WebhookProps {
  webhook: Webhook;
  onSecret: (secret: string) => void;
}

/** What can be done with a webhook; each asks for the list again. */
function useWebhookActions({ id: webhookId, etag }: Webhook, onTested: () => void) {
  const queryClient = useQueryClient();
  const settled = () => queryClient.invalidateQueries({ queryKey: ['webhooks'] });
  const common = { onError: reportFailure, onSettled: settled };
  const enable = useMutation({ mutationFn: () => api.notifications.enableWebhook({ webhookId, etag }), ...common });
  const test = useMutation({
    mutationFn: () => api.notifications.testWebhook({ webhookId }),
    ...common,
    onSuccess: () => {
      showToast('A test call is on its way');
      onTested();
    },
  });
  const remove = async (): Promise<void> => {
    await api.notifications.deleteWebhook({ webhookId, etag });
    await settled();
  };
  return { enable, test, remove };
}

function SwitchedOff({ reason, busy, onEnable }: { reason: string; busy: boolean; onEnable: () => void }) {
  return (
    <Notice kind="warn">
      {reason || 'It is switched off.'}{' '}
      <Button compact busy={busy} onClick={onEnable}>
        Switch on
      </Button>
    </Notice>
  );
}

function LastSuccess({ webhook: { lastSuccessTime } }: { webhook: Webhook }) {
  if (lastSuccessTime === undefined) return <p className="small faint">Nothing has been delivered yet.</p>;
  return (
    <p className="small faint">
      Last delivered <When ms={timestampMs(lastSuccessTime)} />.
    </p>
  );
}

function WebhookCard({ webhook, onSecret }: WebhookProps) {
  const [shown, setShown] = useState(false);
  const [asking, setAsking] = useState<Asking>();
  const { enable, test, remove } = useWebhookActions(webhook, () => setShown(true));
  const enabled = webhook.state === WebhookState.ENABLED;
  return (
    <Section
      title={webhook.description || new URL(webhook.url).host}
      lead={<code>{webhook.url}</code>}
      actions={
        <>
          <span className={`badge ${enabled ? 'good' : 'danger'}`}>{enabled ? 'On' : 'Off'}</span>
          <Button compact busy={test.isPending} disabled={!enabled} onClick={() => test.mutate()}>
            Test
          </Button>
          <WebhookActions webhook={webhook} onSecret={onSecret} onAsk={setAsking} />
        </>
      }
    >
      {!enabled && (
        <SwitchedOff reason={webhook.disableReason} busy={enable.isPending} onEnable={() => enable.mutate()} />
      )}
      <LastSuccess webhook={webhook} />
      <span>
        <Button compact look="quiet" aria-expanded={shown} onClick={() => setShown(!shown)}>
          {shown ? 'Hide deliveries' : 'Show deliveries'}
        </Button>
      </span>
      {shown && <Deliveries webhookId={webhook.id} />}
      {asking === 'delete' && (
        <Confirm
          title="Delete this webhook?"
          verb="Delete webhook"
          danger
          onClose={() => setAsking(undefined)}
          work={remove}
        >
          <p className="soft">It is not called any more, and its deliveries are forgotten.</p>
        </Confirm>
      )}
    </Section>
  );
}

export function WebhookSettings() {
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string>();
  const paged = usePaged<Webhook>({
    queryKey: ['webhooks'],
    fetchPage: async (pageToken, signal) => {
      const { webhooks, nextPageToken } = await api.notifications.listWebhooks({ pageToken }, { signal });
      return { items: webhooks, nextPageToken };
    },
  });
  const create = (
    <Button look="primary" icon="plus" onClick={() => setCreating(true)}>
      New webhook
    </Button>
  );
  return (
    <>
      <div className="row spread">
        <p className="soft">Programs of yours that are called with what you are told.</p>
        {create}
      </div>
      <Paged paged={paged} empty={<Empty icon="webhook" title="No webhooks" />}>
        {(webhooks) => webhooks.map((one) => <WebhookCard key={one.id} webhook={one} onSecret={setSecret} />)}
      </Paged>
      {creating && <NewWebhook onClose={() => setCreating(false)} onMade={setSecret} />}
      {secret !== undefined && (
        <Dialog title="The secret of the webhook" onClose={() => setSecret(undefined)}>
          <p className="soft">With it your program checks the signature of each call. It is shown this once.</p>
          <Secret label="secret" value={secret} />
        </Dialog>
      )}
    </>
  );
}
