export const serviceNames = ['auth', 'users', 'tasks', 'scheduler'] as const;

export type ServiceName = (typeof serviceNames)[number];

/** Everything that runs in a whole cluster: the services, which have a database and a key, and the gateway. */
export const processNames = [...serviceNames, 'gateway'] as const;

export type ProcessName = (typeof processNames)[number];

export const isService = (name: ProcessName): name is ServiceName => serviceNames.some((service) => service === name);

/** The ports a process takes when nothing else is said. */
export const defaultPorts: Record<ProcessName, { readonly calls: number; readonly http: number }> = {
  auth: { calls: 50051, http: 9465 },
  users: { calls: 50052, http: 9466 },
  tasks: { calls: 50053, http: 9467 },
  scheduler: { calls: 50054, http: 9468 },
  gateway: { calls: 8080, http: 9469 },
};

/** Name of a setting that each process has for itself: TASKFLOW_TASKS_GRPC_PORT. */
export function settingOf(service: ProcessName, setting: string): string {
  return `TASKFLOW_${service.toUpperCase()}_${setting}`;
}

/** The settings of a process's ports: for calls, and for metrics and health. */
export function portSettingsOf(name: ProcessName): { readonly calls: string; readonly http: string } {
  return { calls: settingOf(name, isService(name) ? 'GRPC_PORT' : 'RPC_PORT'), http: settingOf(name, 'HTTP_PORT') };
}

/** One value for each service. */
export function forEachService<T>(make: (service: ServiceName) => T): Record<ServiceName, T> {
  return Object.fromEntries(serviceNames.map((service) => [service, make(service)])) as Record<ServiceName, T>;
}
