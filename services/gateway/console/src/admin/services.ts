import { AuditService } from '#client/audit';
import { BreakersService } from '#client/resilience';
import { SchedulerService } from '#client/scheduler';
import { ServerInfoService } from '#client/server';
import { serviceAt } from '../api.ts';

export const serviceNames = ['auth', 'users', 'tasks', 'scheduler'] as const;
export type ServiceName = (typeof serviceNames)[number];

export const scheduler = serviceAt(SchedulerService);
export const auditOf = (name: ServiceName) => serviceAt(AuditService, name);
export const breakersOf = (name: ServiceName) => serviceAt(BreakersService, name);
export const infoOf = (name: ServiceName) => serviceAt(ServerInfoService, name);
