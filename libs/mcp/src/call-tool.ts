import { randomUUID } from 'node:crypto';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { TaskFlowError } from '#client/index';
import { answerJson, callMethod, readRequest, type Caller } from './call-method.ts';
import { failedResult, toFailure } from './tool-failure.ts';
import { toArgumentPath, toRequest } from './tools/tool-request.ts';
import type { Tool } from './tools/tool.ts';

export interface ToolCall {
  tool: Tool;
  given: Record<string, unknown>;
  signal: AbortSignal | undefined;
}

/** Both what the tool does not have and what no field can hold, at once. */
function readArguments({ tool, given }: ToolCall, requestId: string | undefined) {
  const { json, violations } = toRequest(tool, { ...(requestId !== undefined && { requestId }), ...given });
  try {
    const request = readRequest(tool.method.input, json);
    if (violations.length === 0) return request;
    throw new TaskFlowError('INVALID_ARGUMENT', 'the request has arguments that are wrong', {
      reason: 'INVALID_FIELD',
    });
  } catch (error) {
    if (!(error instanceof TaskFlowError) || violations.length === 0) throw error;
    const all = [...violations, ...error.violations.map((one) => ({ ...one, field: toArgumentPath(tool, one.field) }))];
    throw new TaskFlowError('INVALID_ARGUMENT', error.message, { reason: 'INVALID_FIELD', violations: all });
  }
}

/** One id for all attempts of a call, so that a change happens once. */
function requestIdOf({ tool, given }: ToolCall): string | undefined {
  if (!tool.arguments.some(({ name }) => name === 'requestId')) return undefined;
  const own = given['requestId'];
  return typeof own === 'string' && own !== '' ? own : randomUUID();
}

/** Never rejects: whatever goes wrong is told to the agent. */
export async function callTool(caller: Caller, call: ToolCall): Promise<CallToolResult> {
  const { tool, signal } = call;
  const requestId = requestIdOf(call);
  const toArgument = (field: string): string => toArgumentPath(tool, field);
  try {
    const answer = await callMethod(caller, tool.method, readArguments(call, requestId), signal);
    const json = answerJson(tool.method.output, answer, toArgument);
    return {
      content: [
        { type: 'text', text: tool.summary(json) },
        { type: 'text', text: JSON.stringify(json) },
      ],
      structuredContent: json,
    };
  } catch (error) {
    if (!(error instanceof TaskFlowError)) caller.onFault?.(error);
    return failedResult(toFailure(error, toArgument, requestId));
  }
}
