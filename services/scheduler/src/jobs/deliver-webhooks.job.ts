import { z } from 'zod';
import { reviveWebhookWork } from '../use-cases/webhooks/revive-webhook-work.ts';
import { runWebhook } from '../use-cases/webhooks/run-webhook.ts';
import { defineKind } from './job-kind.ts';

/** The pause of a webhook whose job died of a defect. */
const pauseAfterDeathMs = 3_600_000;

/** Sends the due deliveries of one webhook. Only dead letters name a delivery: one that was given up. */
export const deliverWebhooksJob = defineKind({
  name: 'deliver-webhooks',
  queue: 'webhooks',
  payload: z.object({ webhookId: z.uuid(), deliveryId: z.uuid().optional() }),
  retry: { attempts: 3, backoffMs: 1_000 },
  timeoutMs: 120_000,
  longestPauseMs: 30_000,
  // Webhooks mostly wait for slow endpoints.
  concurrency: 32,
  run: (deps, { webhookId }, { jobId, signal }) => runWebhook(deps, { webhookId, jobId }, signal),
  work: {
    effect: 'webhook',
    rows: ({ webhookRuns }) => webhookRuns,
    claim: async ({ webhookRuns }, limit, newJobId) => {
      const runs = await webhookRuns.claim(limit, newJobId);
      const jobs = runs.map(({ webhookId, jobId }) => ({ name: 'deliver-webhooks', payload: { webhookId }, jobId }));
      return { jobs, count: runs.length };
    },
    end: async ({ webhookRuns }, { jobId }) => void (await webhookRuns.release([jobId], pauseAfterDeathMs)),
    revive: reviveWebhookWork,
  },
});
