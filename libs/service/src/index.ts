export { openAccess, type Access } from './access.ts';
export { startApplication, type ServiceBase, type ServicePorts } from './application.ts';
export { openPorts } from './service-ports.ts';
