import { MailKind, type InternalMailsServiceService } from '#contract/scheduler/v1/mails';
import { fieldTypes, parseRequest } from '#libs/errors';
import type { Handlers } from '#libs/grpc';
import { z } from 'zod';
import type { SchedulerDeps } from '../../deps.ts';
import { handOverMail } from '../../use-cases/mails/hand-over-mail.ts';

/** The methods for other services. */
export function internalMailsHandlers(deps: SchedulerDeps): Handlers<InternalMailsServiceService> {
  return {
    handOverMail: async (request) => handOverMail(deps, parseRequest(handOverSchema, request)),
  };
}

const handOverSchema = z.object({
  mailId: fieldTypes.uuid(),
  kind: z
    .enum(MailKind)
    .refine((kind) => kind !== MailKind.UNSPECIFIED && kind !== MailKind.UNRECOGNIZED, 'must be a known kind'),
});
