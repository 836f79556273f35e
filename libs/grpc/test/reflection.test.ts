import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, credentials, status } from '@grpc/grpc-js';
import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { User } from '#contract/users/v1/users';
import { ServerReflectionService, type ServerReflectionRequest, type ServerReflectionResponse } from '../../contract/src/gen/grpc/reflection/v1/reflection.ts';
import { ServerReflectionService as AlphaService } from '../../contract/src/gen/grpc/reflection/v1alpha/reflection.ts';
import { startTestServer, userToken, type TestServer } from './cluster.ts';
import { internalUsersBinding, usersBinding } from './services.ts';

const run = promisify(execFile);
const buf = new URL('../../../node_modules/.bin/buf', import.meta.url).pathname;

let target: TestServer;
let client: Client;

beforeAll(async () => {
  const users = usersBinding({ getMe: async (_request, call) => ({ user: User.fromPartial({ id: call.actor.kind }) }) });
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
function ask(questions: Question[], service: typeof ServerReflectionService | typeof AlphaService = ServerReflectionService): Promise<(Answer | undefined)[]> {
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
    ['an enum', 'taskflow.auth.v1.Role', 'taskflow/auth/v1/auth.proto'],
    ['an enum value', 'taskflow.auth.v1.ROLE_ADMIN', 'taskflow/auth/v1/auth.proto'],
    ['an extension', 'taskflow.policy.v1.method', 'taskflow/policy/v1/policy.proto'],
    ['the service for health', 'grpc.health.v1.Health', 'grpc/health/v1/health.proto'],
  ])('finds the file of %s', async (_kind, value, file) => {
    const [answer] = await ask([{ $case: 'fileContainingSymbol', value }], service);
    expect(filesOf(answer)[0]?.name).toBe(file);
  });

  it('sends a file with everything that it imports, so that strict clients can resolve it', async () => {
    const [answer] = await ask([{ $case: 'fileByFilename', value: usersFile }], service);
    // The library wants imports first.
    const file = filesOf(answer).reverse();
    // Throws when an import is missing.
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
    expect(registry.getService('taskflow.users.v1.UsersService')?.methods.length).toBe(4);
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
    expect(numbers).toEqual({ $case: 'allExtensionNumbersResponse', value: { baseTypeName: containingType, extensionNumber: [50001] } });
    expect(filesOf(file)[0]?.name).toBe('taskflow/policy/v1/policy.proto');
  });

  it('answers NOT_FOUND to what does not exist, and goes on', async () => {
    const answers = await ask(
      [
        { $case: 'fileByFilename', value: 'no/such.proto' },
        { $case: 'fileContainingSymbol', value: 'no.such.Symbol' },
        { $case: 'fileContainingExtension', value: { containingType: 'google.protobuf.MethodOptions', extensionNumber: 1 } },
        { $case: 'allExtensionNumbersOfType', value: 'no.such.Type' },
        { $case: 'listServices', value: '' },
      ],
      service,
    );
    const codes = answers.map((answer) => (answer?.$case === 'errorResponse' ? answer.value.errorCode : answer?.$case));
    expect(codes).toEqual([status.NOT_FOUND, status.NOT_FOUND, status.NOT_FOUND, status.NOT_FOUND, 'listServicesResponse']);
  });
});

describe('buf curl', () => {
  const curl = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(buf, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args]);
    return stdout;
  };

  it.each(['grpc-v1', 'grpc-v1alpha'])('lists the methods by %s', async (protocol) => {
    const methods = (await curl('--reflect-protocol', protocol, '--list-methods', `http://${target.address}`)).trim().split('\n');
    expect(methods).toContain('taskflow.users.v1.UsersService/GetMe');
    expect(methods).toContain('grpc.health.v1.Health/Watch');
  });

  it('calls a method that it knows from reflection only', async () => {
    const authorization = `authorization: Bearer ${await userToken()}`;
    const answer = await curl('-H', authorization, '-d', '{}', `http://${target.address}/taskflow.users.v1.UsersService/GetMe`);
    expect(JSON.parse(answer)).toMatchObject({ user: { id: 'user' } });
  });
});
