export { askAccess, type Access } from './access.ts';
export type { Caller } from './call-method.ts';
export { checkParams, MessageFault, readMessage, type RpcMessage } from './read-message.ts';
export { createMcpServer, type McpServerOptions, type ServedRequest } from './server.ts';
export { serveMcpOverStdio, type RunningStdio, type StdioOptions } from './stdio.ts';
export { toFailure, type Failure } from './tool-failure.ts';
export { tools } from './tools/tools.ts';
export type { Tool } from './tools/tool.ts';
