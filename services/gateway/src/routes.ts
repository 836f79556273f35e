import { type DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import { descriptorOf, policies, serviceNames, type MethodPolicy, type ServiceName } from '#libs/contract';
import type { ForwardedRoute } from '#libs/grpc';

/** A method that clients may call over HTTP. */
export interface Route extends ForwardedRoute {
  method: DescMethod;
  /** Whether GET may ask for it. */
  isRead: boolean;
}

/** "tasks" of "taskflow.tasks.v1.TasksService"; undefined for the services that every server offers. */
function ownerOf({ service }: MethodPolicy): ServiceName | undefined {
  return serviceNames.find((name) => service.startsWith(`taskflow.${name}.`));
}

/** Only other services call them. */
const isInternal = ({ service }: MethodPolicy): boolean => service.split('.').at(-1)?.startsWith('Internal') ?? false;

/** The servers that offer a method, each with the path by which clients name it. */
function placesOf(policy: MethodPolicy): (readonly [path: string, callee: ServiceName])[] {
  const owner = ownerOf(policy);
  if (owner !== undefined) return [[policy.path, owner]];
  // Each server answers for itself, so the path says which one is asked.
  return serviceNames.map((name) => [`/${name}${policy.path}`, name]);
}

/** Every method of the contract that is for people and programs outside, by its path. */
export function listRoutes(): ReadonlyMap<string, Route> {
  const open = [...policies.values()].filter((policy) => !isInternal(policy));
  return new Map(
    open.flatMap((policy) => {
      const method = descriptorOf(policy);
      const route = {
        policy,
        method,
        responseStream: method.methodKind === 'server_streaming',
        isRead: method.idempotency === Level.NO_SIDE_EFFECTS,
      };
      return placesOf(policy).map(([path, callee]) => [path, { ...route, callee }] as const);
    }),
  );
}
