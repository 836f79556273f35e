/**
 * Whether an event concerns somebody other than the one who caused it. Readers that tell people what others did pass
 * over all other events; the rule must not leave out anything of which somebody is told.
 */
export function concernsOthers({ actor, audience }: { actor: string; audience: readonly string[] }): boolean {
  return audience.some((userId) => userId !== actor);
}
