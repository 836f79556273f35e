import { serviceNames, type MethodPolicy, type ServiceName } from './policy.ts';

/** A server that offers a method, and the path by which clients of the gateway name it. */
export interface MethodPlace {
  callee: ServiceName;
  path: string;
}

/** The server of "taskflow.tasks.v1.TasksService" is "tasks"; undefined for services that every server offers. */
export function ownerOf(service: string): ServiceName | undefined {
  return serviceNames.find((name) => service.startsWith(`taskflow.${name}.`));
}

/** The servers that offer a method. Where each answers for itself, the path says which one is asked. */
export function placesOf({ service, path }: Pick<MethodPolicy, 'service' | 'path'>): MethodPlace[] {
  const owner = ownerOf(service);
  if (owner !== undefined) return [{ callee: owner, path }];
  return serviceNames.map((callee) => ({ callee, path: `/${callee}${path}` }));
}
