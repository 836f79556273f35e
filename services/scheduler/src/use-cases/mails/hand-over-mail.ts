import type { HandOverMailResponse, MailKind } from '#contract/scheduler/v1/mails';
import { currentContext } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';

/** Takes over a mail of another service. What it says is asked for when it is sent. */
export async function handOverMail(
  { uow, notifyDispatcher }: Pick<SchedulerDeps, 'uow' | 'notifyDispatcher'>,
  mail: { mailId: string; kind: MailKind },
): Promise<HandOverMailResponse> {
  const { requestId: callId = '', traceParent = '' } = currentContext() ?? {};
  const isNew = await uow.run(({ mails }) => mails.add({ ...mail, callId, traceParent }));
  if (isNew) notifyDispatcher();
  return {};
}
