import { AppError } from '#libs/errors';

export const maxWebhooks = 10;

export function webhookNotFound(webhookId: string): AppError {
  return new AppError('not_found', 'WEBHOOK_NOT_FOUND', 'no such webhook', {
    details: { resource: { type: 'webhook', name: webhookId }, metadata: { webhookId } },
  });
}

export function webhookDeliveryNotFound(deliveryId: string): AppError {
  return new AppError('not_found', 'WEBHOOK_DELIVERY_NOT_FOUND', 'no such delivery', {
    details: { resource: { type: 'webhook delivery', name: deliveryId }, metadata: { deliveryId } },
  });
}

export function tooManyWebhooks(): AppError {
  return new AppError('failed_precondition', 'TOO_MANY_WEBHOOKS', `there may be ${maxWebhooks} webhooks`, {
    details: { metadata: { maxWebhookCount: String(maxWebhooks) } },
  });
}

export function webhookNotEnabled(webhookId: string): AppError {
  return new AppError('failed_precondition', 'WEBHOOK_NOT_ENABLED', 'the webhook is disabled; enable it first', {
    details: {
      preconditions: [{ type: 'WEBHOOK_STATE', subject: webhookId, description: 'must be enabled' }],
      metadata: { webhookId },
    },
  });
}

export function webhookWithoutEvents(webhookId: string): AppError {
  return new AppError('failed_precondition', 'WEBHOOK_WITHOUT_EVENTS', 'the webhook is sent nothing of what happens', {
    details: {
      preconditions: [{ type: 'WEBHOOK_EVENTS', subject: webhookId, description: 'must not be empty' }],
      metadata: { webhookId },
    },
  });
}

export function replayTooOld(oldest: Date): AppError {
  return new AppError('out_of_range', 'REPLAY_TOO_OLD', 'what happened so long ago cannot be replayed', {
    details: { metadata: { startTime: oldest.toISOString() } },
  });
}

export function webhookChanged(webhookId: string): AppError {
  return new AppError('aborted', 'ETAG_MISMATCH', 'the webhook has changed since the etag was read', {
    details: { resource: { type: 'webhook', name: webhookId }, metadata: { id: webhookId } },
  });
}
