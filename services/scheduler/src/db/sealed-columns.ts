import type { SealedColumn } from '#libs/db';

/** The purpose that the keys are derived for. */
export const webhookSecretsPurpose = 'taskflow/scheduler/webhook-secrets';

const ofWebhook = ([id = '']: readonly string[]): string => id;

/** Everything that is sealed under the encryption key: secrets of webhooks, and recorded responses that contain one. */
export const sealedColumns: readonly SealedColumn[] = [
  { table: 'webhooks', column: 'secret', key: ['id'], label: ofWebhook },
  { table: 'webhooks', column: 'previous_secret', key: ['id'], label: ofWebhook },
  {
    table: 'idempotency_records',
    column: 'response',
    key: ['user_id', 'method', 'request_id'],
    where: `method in ('CreateWebhook', 'RotateWebhookSecret')`,
    label: (key) => key.join(' '),
  },
];
