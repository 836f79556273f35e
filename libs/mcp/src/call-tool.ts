import { randomUUID } from 'node:crypto';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { TaskFlowError } from '#client/index';
import { assertAccess } from './access.ts';
import { answerJson, callMethod, readRequest, type Caller } from './call-method.ts';
import { failedResult, toFailure, withinLimit } from './tool-failure.ts';
import { namingOf, type Naming } from './tools/argument-names.ts';
import { toRequest } from './tools/tool-request.ts';
import type { Answer, Tool } from './tools/tool.ts';

export interface ToolCall {
  tool: Tool;
  given: Record<string, unknown>;
  signal: AbortSignal | undefined;
}

/** Both what the tool does not have and what no field can hold, at once, by the names of its arguments. */
function readArguments({ tool, given }: ToolCall, requestId: string | undefined) {
  const { json, violations } = toRequest(tool, { ...(requestId !== undefined && { requestId }), ...given });
  let unreadable: TaskFlowError | undefined;
  try {
    const request = readRequest(tool.method.input, json);
    if (violations.length === 0) return request;
  } catch (error) {
    if (!(error instanceof TaskFlowError)) throw error;
    unreadable = error;
  }
  const all = [...violations, ...(unreadable?.violations ?? []).map(namingOf(tool))];
  throw new TaskFlowError('INVALID_ARGUMENT', 'the request has arguments that are wrong', {
    reason: unreadable?.reason ?? 'INVALID_FIELD',
    violations: withinLimit(all),
  });
}

/** One id for all attempts of a call, so that a change happens once. */
function requestIdOf({ tool, given }: ToolCall): string | undefined {
  if (!tool.arguments.some(({ name }) => name === 'requestId')) return undefined;
  const own = given['requestId'];
  return typeof own === 'string' && own !== '' ? own : randomUUID();
}

const asIs: Naming = (violation) => violation;

/** What happened; of a call that only checks, that it did not. */
const summaryOf = ({ tool, given }: ToolCall, json: Answer): string =>
  given['validateOnly'] === true && tool.effects !== undefined
    ? `Only checked, nothing has changed: ${tool.effects.would}. Call it without validateOnly to do it.`
    : tool.summary(json);

/** Whoever may not call is told so before what is wrong with the arguments, as the services do it. */
async function readAllowed(caller: Caller, call: ToolCall, requestId: string | undefined) {
  try {
    return readArguments(call, requestId);
  } catch (error) {
    await assertAccess(caller, call.tool.method, call.signal);
    throw error;
  }
}

/** Never rejects: whatever goes wrong is told to the agent. */
export async function callTool(caller: Caller, call: ToolCall): Promise<CallToolResult> {
  const { tool, signal } = call;
  const requestId = requestIdOf(call);
  let naming = asIs;
  try {
    const request = await readAllowed(caller, call, requestId);
    naming = namingOf(tool);
    const answer = await callMethod(caller, tool.method, request, signal);
    const json = answerJson(tool.method.output, answer, naming);
    return {
      content: [
        { type: 'text', text: summaryOf(call, json) },
        { type: 'text', text: JSON.stringify(json) },
      ],
      structuredContent: json,
    };
  } catch (error) {
    if (!(error instanceof TaskFlowError)) caller.onFault?.(error);
    return failedResult(toFailure(error, naming, requestId));
  }
}
