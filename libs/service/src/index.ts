export { openAccess, type Access } from './access.ts';
export {
  startApplication,
  startProcess,
  type ProcessBase,
  type ServiceBase,
  type ServicePorts,
} from './application.ts';
export { docsPages } from './docs-pages.ts';
export { openPorts } from './service-ports.ts';
