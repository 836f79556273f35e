import { useMutation, useQueryClient } from '@tanstack/react-query';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { WebhookDeliveryState, WebhookMessageType, type WebhookDelivery } from '#client/scheduler';
import { api } from '../api.ts';
import { reportFailure } from '../tasks/report-failure.ts';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/notice.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { Table } from '../ui/table.tsx';
import { When } from '../ui/when.tsx';

const states: Partial<Record<WebhookDeliveryState, { label: string; tone: string }>> = {
  [WebhookDeliveryState.PENDING]: { label: 'Under way', tone: 'info' },
  [WebhookDeliveryState.DELIVERED]: { label: 'Delivered', tone: 'good' },
  [WebhookDeliveryState.STALE]: { label: 'Not needed any more', tone: '' },
  [WebhookDeliveryState.DEAD]: { label: 'Given up', tone: 'danger' },
};

/** "TASK_OVERDUE" as "Task overdue". */
const inWords = (name = ''): string => `${name.slice(0, 1)}${name.slice(1).toLowerCase().replaceAll('_', ' ')}`;

function DeliveryRow({ delivery, onAgain }: { delivery: WebhookDelivery; onAgain: () => void }) {
  const { label, tone } = states[delivery.state] ?? { label: 'Unknown', tone: '' };
  const last = delivery.attempts.at(-1);
  const answer = last === undefined ? delivery.error : last.error || `answered ${last.statusCode}`;
  return (
    <tr>
      <td>{inWords(WebhookMessageType[delivery.type])}</td>
      <td>
        <span className={`badge ${tone}`}>{label}</span>
      </td>
      <td className="wrap">{answer}</td>
      <td className="number">{delivery.attempts.length}</td>
      <td>{delivery.createTime !== undefined && <When ms={timestampMs(delivery.createTime)} />}</td>
      <td className="end">
        {delivery.state === WebhookDeliveryState.DEAD && (
          <Button compact onClick={onAgain}>
            Send again
          </Button>
        )}
      </td>
    </tr>
  );
}

/** What was sent to a webhook, and what it answered. */
export function Deliveries({ webhookId }: { webhookId: string }) {
  const queryClient = useQueryClient();
  const queryKey = ['webhooks', 'deliveries', webhookId];
  const paged = usePaged<WebhookDelivery>({
    queryKey,
    fetchPage: async (pageToken, signal) => {
      const answer = await api.notifications.listWebhookDeliveries({ webhookId, pageToken }, { signal });
      return { items: answer.deliveries, nextPageToken: answer.nextPageToken };
    },
    refetchMs: 3000,
  });
  const again = useMutation({
    mutationFn: (deliveryId: string) => api.notifications.redeliverWebhook({ webhookId, deliveryId }),
    onError: reportFailure,
    onSettled: () => queryClient.invalidateQueries({ queryKey }),
  });
  return (
    <Paged paged={paged} empty={<Empty icon="webhook" title="Nothing was sent yet" />}>
      {(deliveries) => (
        <Table label="Deliveries" columns={['What', 'State', 'Answer', 'Attempts', 'When', '']}>
          {deliveries.map((one) => (
            <DeliveryRow key={one.id} delivery={one} onAgain={() => again.mutate(one.id)} />
          ))}
        </Table>
      )}
    </Paged>
  );
}
