export const serviceNames = ['auth', 'users', 'tasks', 'scheduler'] as const;

export type ServiceName = (typeof serviceNames)[number];

/** The ports a service takes when nothing else is said. */
export const defaultPorts: Record<ServiceName, { readonly grpc: number; readonly http: number }> = {
  auth: { grpc: 50051, http: 9465 },
  users: { grpc: 50052, http: 9466 },
  tasks: { grpc: 50053, http: 9467 },
  scheduler: { grpc: 50054, http: 9468 },
};

/** Name of a setting that each service has for itself: TASKFLOW_TASKS_GRPC_PORT. */
export function settingOf(service: ServiceName, setting: string): string {
  return `TASKFLOW_${service.toUpperCase()}_${setting}`;
}

/** One value for each service. */
export function forEachService<T>(make: (service: ServiceName) => T): Record<ServiceName, T> {
  return Object.fromEntries(serviceNames.map((service) => [service, make(service)])) as Record<ServiceName, T>;
}
