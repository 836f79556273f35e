import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { fileRegistry } from '../../src/descriptors.ts';
import { ownerOf } from '../../src/method-places.ts';
import { serviceNames } from '../../src/policy.ts';
import { isInternal, methodsOf } from '../lint/reachable.ts';
import { commentOf } from '../reference/comments.ts';
import { allReasons } from '../reference/reasons.ts';
import { createComponents, type Components } from './components.ts';
import { pathItem } from './operations.ts';
import type { Schema } from './schema-of-rule.ts';

const codes = [
  ...['canceled', 'unknown', 'invalid_argument', 'deadline_exceeded', 'not_found', 'already_exists'],
  ...['permission_denied', 'resource_exhausted', 'failed_precondition', 'aborted', 'out_of_range', 'unimplemented'],
  ...['internal', 'unavailable', 'data_loss', 'unauthenticated'],
];

const errorSchema: Schema = {
  type: 'object',
  description: 'Programs decide by the code and the reason in the details, never by the message.',
  required: ['code'],
  properties: {
    code: { type: 'string', enum: codes },
    message: { type: 'string' },
    details: {
      type: 'array',
      description:
        'google.rpc.ErrorInfo with the reason, RequestInfo, and where they fit BadRequest, RetryInfo and QuotaFailure.',
      items: {
        type: 'object',
        required: ['type', 'value'],
        properties: {
          type: { type: 'string', description: 'The name of the message.', examples: ['google.rpc.ErrorInfo'] },
          value: {
            type: 'string',
            contentEncoding: 'base64',
            description: 'The message in protobuf, without padding.',
          },
          debug: { description: 'The message in JSON, for people.' },
        },
      },
    },
  },
};

const bearer = (description: string): Schema => ({ type: 'http', scheme: 'bearer', description });

const fixed = {
  responses: {
    AnyError: {
      description: 'What every method can answer. The reasons are in the reference.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    },
  },
  parameters: {
    Timeout: {
      name: 'connect-timeout-ms',
      in: 'header',
      description: "The caller's deadline; at most the deadline of the method is granted.",
      schema: { type: 'integer', minimum: 1, maximum: 9_999_999_999 },
    },
    Server: {
      name: 'server',
      in: 'path',
      required: true,
      description: 'Every server has this method and answers for itself. The path says which one is asked.',
      schema: { enum: [...serviceNames] },
    },
    Encoding: { name: 'encoding', in: 'query', required: true, schema: { const: 'json' } },
  },
  securitySchemes: {
    accessToken: bearer('The access token of Login or RefreshSession.'),
    personalToken: bearer('A personal access token that holds the scope of the method.'),
  },
};

const about = `Every method is a POST of JSON, as the [Connect protocol](https://connectrpc.com/docs/protocol) has it, and
gRPC on the ports of the services. Names and forms are those of protobuf's JSON: 64-bit numbers are texts, enums are
names, times are RFC 3339, spans are seconds such as "3.5s", and what has its default may be left out. A request with a
field that is not known is refused. Every call may carry \`x-request-id\`, which comes back with the answer.`;

const toTag = (service: DescService): Schema => ({ name: service.name, description: commentOf(service) });

/** The path of a method that every server has begins with the name of the one that is asked. */
function pathOf({ parent, name }: DescMethod): string {
  const path = `/${parent.typeName}/${name}`;
  return ownerOf(parent.typeName) === undefined ? `/{server}${path}` : path;
}

function itemOf(method: DescMethod, components: Components): Schema {
  const item = pathItem(method, components);
  return ownerOf(method.parent.typeName) === undefined
    ? { parameters: [{ $ref: '#/components/parameters/Server' }], ...item }
    : item;
}

/** OpenAPI 3.1 of every method that people may call, from the descriptors with their comments, rules and policies. */
export function toOpenApi(): Schema {
  const methods = methodsOf(fileRegistry).filter((method) => !isInternal(method));
  const components = createComponents(methods);
  const paths = Object.fromEntries(methods.map((method) => [pathOf(method), itemOf(method, components)]));
  const services = [...new Set(methods.map(({ parent }) => parent))];
  return {
    openapi: '3.1.0',
    info: {
      title: 'TaskFlow API',
      version: 'v1',
      description: about.replaceAll('\n', ' '),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: services.map(toTag),
    paths,
    components: { ...fixed, schemas: { Error: errorSchema, ...components.schemas() } },
    'x-taskflow-reasons': Object.fromEntries(allReasons.map(({ name, code, meaning }) => [name, { code, meaning }])),
  };
}
