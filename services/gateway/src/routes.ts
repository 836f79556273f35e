import { type DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import { descriptorOf, placesOf, policies, type MethodPolicy } from '#libs/contract';
import type { ForwardedRoute } from '#libs/grpc';

/** A method that clients may call over HTTP. */
export interface Route extends ForwardedRoute {
  method: DescMethod;
  /** Whether GET may ask for it. */
  isRead: boolean;
}

/** Only other services call them. */
const isInternal = ({ service }: MethodPolicy): boolean => service.split('.').at(-1)?.startsWith('Internal') ?? false;

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
      return placesOf(policy).map(({ path, callee }) => [path, { ...route, callee }] as const);
    }),
  );
}
