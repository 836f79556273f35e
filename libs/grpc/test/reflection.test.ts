import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Client,
  credentials,
  makeClientConstructor,
  Metadata,
  status,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { create, createFileRegistry, fromBinary, toBinary, type FileRegistry, type Message } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { User } from '#contract/users/v1/users';
import {
  ServerReflectionService,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../../contract/src/gen/grpc/reflection/v1/reflection.ts';
import { ServerReflectionService as AlphaService } from '../../contract/src/gen/grpc/reflection/v1alpha/reflection.ts';
import { startTestServer, userToken, type TestServer } from './cluster.ts';
import { waitUntil } from '../../dev/cluster/src/wait-until.ts';
import { internalUsersBinding, usersBinding } from './services.ts';

const run = promisify(execFile);
const buf = new URL('../../../node_modules/.bin/buf', import.meta.url).pathname;

let target: TestServer;
let client: Client;

beforeAll(async () => {
  const users = usersBinding({
    getMe: async (_request, call) => ({ user: User.fromPartial({ id: call.actor.kind }) }),
  });
  target = await startTestServer({ bindings: [users, internalUsersBinding()] });
  client = new Client(target.address, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await target.server.stop();
});

type Question = NonNullable<ServerReflectionRequest['messageRequest']>;
type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

/** Asks on one stream and returns the answers in order. */
function ask(
  questions: Question[],
  service: typeof ServerReflectionService | typeof AlphaService = ServerReflectionService,
): Promise<(Answer | undefined)[]> {
  const { path } = service.serverReflectionInfo;
  const { requestSerialize, responseDeserialize } = ServerReflectionService.serverReflectionInfo;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const answers: (Answer | undefined)[] = [];
  return new Promise((resolve, reject) => {
    call.on('data', (response: ServerReflectionResponse) => answers.push(response.messageResponse));
    call.on('error', reject);
    call.on('end', () => resolve(answers));
    for (const messageRequest of questions) call.write({ host: '', messageRequest });
    call.end();
  });
}

function filesOf(answer: Answer | undefined): FileDescriptorProto[] {
  if (answer?.$case !== 'fileDescriptorResponse') throw new Error(`unexpected answer ${answer?.$case}`);
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

/** The types of a file. Throws when an import is missing. */
function registryOf(answer: Answer | undefined): FileRegistry {
  // The registry wants imports first.
  return createFileRegistry(create(FileDescriptorSetSchema, { file: filesOf(answer).reverse() }));
}

type Rpc = Message & { details: { typeUrl: string; value: Uint8Array }[] };

const usersFile = 'taskflow/users/v1/users.proto';

describe.each([
  ['v1', ServerReflectionService],
  ['v1alpha', AlphaService],
] as const)('reflection %s', (_version, service) => {
  it('lists the services of this server only', async () => {
    const [answer] = await ask([{ $case: 'listServices', value: '' }], service);
    expect(answer).toEqual({
      $case: 'listServicesResponse',
      value: {
        service: [
          'taskflow.users.v1.UsersService',
          'taskflow.users.v1.InternalUsersService',
          'grpc.health.v1.Health',
          'grpc.reflection.v1.ServerReflection',
          'grpc.reflection.v1alpha.ServerReflection',
        ].map((name) => ({ name })),
      },
    });
  });

  it.each([
    ['a service', 'taskflow.users.v1.UsersService', usersFile],
    ['a method', 'taskflow.users.v1.UsersService.GetMe', usersFile],
    ['a message', 'taskflow.users.v1.User', usersFile],
    ['a field', 'taskflow.users.v1.User.display_name', usersFile],
    ['an enum', 'taskflow.users.v1.Role', usersFile],
    ['an enum value', 'taskflow.users.v1.ROLE_ADMIN', usersFile],
    ['an extension', 'taskflow.policy.v1.method', 'taskflow/policy/v1/policy.proto'],
    ['the service for health', 'grpc.health.v1.Health', 'grpc/health/v1/health.proto'],
  ])('finds the file of %s', async (_kind, value, file) => {
    const [answer] = await ask([{ $case: 'fileContainingSymbol', value }], service);
    expect(filesOf(answer)[0]?.name).toBe(file);
  });

  it('sends a file with everything that it imports, so that strict clients can resolve it', async () => {
    const [answer] = await ask([{ $case: 'fileByFilename', value: usersFile }], service);
    const registry = registryOf(answer);
    expect(registry.getService('taskflow.users.v1.UsersService')?.methods.length).toBe(5);
  });

  it('suffices to read the details of an error', async () => {
    const bytes = await new Promise<Buffer>((resolve) => {
      const asIs = (value: Buffer): Buffer => value;
      client.makeUnaryRequest('/taskflow.users.v1.UsersService/GetMe', asIs, asIs, Buffer.alloc(0), (error) =>
        resolve(error?.metadata.get('grpc-status-details-bin')[0] as Buffer),
      );
    });
    const load = async <T extends Message>(value: string): Promise<GenMessage<T>> => {
      const [answer] = await ask([{ $case: 'fileContainingSymbol', value }], service);
      return registryOf(answer).getMessage(value) as GenMessage<T>;
    };
    const { details } = fromBinary(await load<Rpc>('google.rpc.Status'), bytes);
    const read = details.map(async ({ typeUrl, value }) => {
      const name = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
      return [name, fromBinary(await load(name), value)];
    });
    expect(Object.fromEntries(await Promise.all(read))).toMatchObject({
      'google.rpc.ErrorInfo': { reason: 'CREDENTIALS_MISSING', domain: 'taskflow.dev' },
      'google.rpc.RequestInfo': { requestId: expect.any(String) },
    });
  });

  it('knows the extensions of a message', async () => {
    const containingType = 'google.protobuf.MethodOptions';
    const [numbers, file] = await ask(
      [
        { $case: 'allExtensionNumbersOfType', value: containingType },
        { $case: 'fileContainingExtension', value: { containingType, extensionNumber: 50001 } },
      ],
      service,
    );
    expect(numbers).toEqual({
      $case: 'allExtensionNumbersResponse',
      value: { baseTypeName: containingType, extensionNumber: [50001] },
    });
    expect(filesOf(file)[0]?.name).toBe('taskflow/policy/v1/policy.proto');
  });

  it('answers NOT_FOUND to what does not exist, and goes on', async () => {
    const answers = await ask(
      [
        { $case: 'fileByFilename', value: 'no/such.proto' },
        { $case: 'fileContainingSymbol', value: 'no.such.Symbol' },
        {
          $case: 'fileContainingExtension',
          value: { containingType: 'google.protobuf.MethodOptions', extensionNumber: 1 },
        },
        { $case: 'allExtensionNumbersOfType', value: 'no.such.Type' },
        { $case: 'listServices', value: '' },
      ],
      service,
    );
    const codes = answers.map((answer) => (answer?.$case === 'errorResponse' ? answer.value.errorCode : answer?.$case));
    expect(codes).toEqual([...Array.from({ length: 4 }, () => status.NOT_FOUND), 'listServicesResponse']);
  });
});

describe('buf curl', () => {
  const curl = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(buf, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args]);
    return stdout;
  };

  it.each(['grpc-v1', 'grpc-v1alpha'])('lists the methods by %s', async (protocol) => {
    const methods = (await curl('--reflect-protocol', protocol, '--list-methods', `http://${target.address}`))
      .trim()
      .split('\n');
    expect(methods).toContain('taskflow.users.v1.UsersService/GetMe');
    expect(methods).toContain('grpc.health.v1.Health/Watch');
  });

  it('calls a method that it knows from reflection only', async () => {
    const authorization = `authorization: Bearer ${await userToken()}`;
    const url = `http://${target.address}/taskflow.users.v1.UsersService/GetMe`;
    const answer = await curl('-H', authorization, '-d', '{}', url);
    expect(JSON.parse(answer)).toMatchObject({ user: { id: 'user' } });
  });
});

describe('a client without generated code', () => {
  type Done = (error: ServiceError | null, answer: unknown) => void;
  type Method = (request: object, metadata: Metadata, done: Done) => void;

  /** Loads the descriptors of a service by reflection with @grpc/proto-loader, and calls a method. */
  async function call(service: string, method: string, request: object, metadata = new Metadata()): Promise<unknown> {
    const [files] = await ask([{ $case: 'fileContainingSymbol', value: service }]);
    const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: filesOf(files) }));
    const loaded = loadFileDescriptorSetFromBuffer(Buffer.from(set), { enums: String, longs: String, defaults: true });
    const Dynamic = makeClientConstructor(loaded[service] as ServiceDefinition, service);
    const dynamic = new Dynamic(target.address, credentials.createInsecure());
    return new Promise<unknown>((resolve, reject) => {
      (dynamic[method] as Method).call(dynamic, request, metadata, (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      );
    }).finally(() => dynamic.close());
  }

  it('calls a method with what it loads at run time', async () => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${await userToken()}`);
    expect(await call('taskflow.users.v1.UsersService', 'getMe', {}, metadata)).toMatchObject({ user: { id: 'user' } });
  });

  it('asks for the health of one service, and lists that of all', async () => {
    const health = 'grpc.health.v1.Health';
    await waitUntil(() => target.server.isServing());
    expect(await call(health, 'check', { service: 'taskflow.users.v1.UsersService' })).toEqual({ status: 'SERVING' });
    const names = ['', 'taskflow.users.v1.UsersService', 'taskflow.users.v1.InternalUsersService', 'liveness'];
    // The loader takes a map for the list of entries that it is on the wire.
    const statuses = names.map((key) => ({ key, value: { status: 'SERVING' } }));
    expect(await call(health, 'list', {})).toEqual({ statuses });
    await expect(call(health, 'check', { service: 'no.such.Service' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });
});
