import type { GetMailResponse } from '#contract/auth/v1/auth';

/** The service that hands over mails about accounts. */
export interface AccountMailsPort {
  /** What a mail says; undefined when it is not to be sent any more. It holds a secret: keep and log nothing of it. */
  find(mailId: string): Promise<GetMailResponse | undefined>;
}
