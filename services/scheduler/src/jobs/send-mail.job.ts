import { z } from 'zod';
import { sendMail } from '../use-cases/mails/send-mail.ts';
import { defineKind } from './job-kind.ts';

/** Sends one mail. */
export const sendMailJob = defineKind({
  name: 'send-mail',
  queue: 'mails',
  payload: z.object({ mailId: z.uuid() }),
  // For defects only: what mail servers refuse is tried again by the rows.
  retry: { attempts: 3, backoffMs: 1_000 },
  timeoutMs: 150_000,
  longestPauseMs: 30_000,
  // As many as there are connections to the mail server.
  concurrency: 8,
  run: (deps, { mailId }, { jobId, signal }) => sendMail(deps, { mailId, jobId }, signal),
  work: {
    effect: 'mail',
    rows: ({ mails }) => mails,
    claim: async ({ mails }, limit, newJobId) => {
      const runs = await mails.claim(limit, newJobId);
      const jobs = runs.map(({ mailId, ...ids }) => ({ name: 'send-mail', payload: { mailId }, ...ids }));
      return { jobs, count: runs.length };
    },
    end: async ({ mails }, { payload, error }) => {
      if (payload !== undefined) await mails.bury(payload.mailId, error);
    },
    revive: ({ mails }, { mailId }) => mails.revive(mailId),
  },
});
