import { InternalProjectsServiceService, type JoinOutcome as JoinOutcomeMessage } from '#contract/tasks/v1/projects';
import { AppError } from '#libs/errors';
import { createClient, type ClientOptions } from '#libs/grpc';
import type { Projects } from '../domain/project-invitee.ports.ts';
import { joinOutcomes, type JoinOutcome } from '../domain/project-invitee.columns.ts';

/** Throws for one that a later release has added: it is asked for again then, by a later release of this service. */
function toOutcome(message: JoinOutcomeMessage): JoinOutcome {
  const name = message.replace('JOIN_OUTCOME_', '').toLowerCase();
  const outcome = joinOutcomes.find((known) => known === name);
  if (outcome === undefined) throw new AppError('internal', 'INTERNAL', `unknown outcome ${message}`);
  return outcome;
}

/** Has tasks make people members of projects. */
export function createProjectsClient(options: Omit<ClientOptions, 'callee'>): Projects & { close(): void } {
  const { client, close } = createClient(InternalProjectsServiceService, { callee: 'tasks', ...options });
  return {
    join: async ({ invitationId, accountId: userId }) =>
      toOutcome((await client.joinProject({ invitationId, userId })).outcome),
    close,
  };
}
