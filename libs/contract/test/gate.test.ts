import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const root = new URL('../../../', import.meta.url).pathname;

let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'taskflow-gate-'));
  const parts = ['package.json', 'proto', 'libs/contract', 'libs/client/src/gen', 'libs/errors'];
  for (const part of [...parts, 'libs/runtime/command-line'])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function change(path: string, from: string, to: string): void {
  const text = readFileSync(join(copy, path), 'utf8');
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  writeFileSync(join(copy, path), text.replace(from, to));
}

/** Exit code of the gate and what it says failed. */
async function runGate(): Promise<{ code: number; failed: string[] }> {
  const { code = 0, stdout } = (await run(process.execPath, [join(copy, 'libs/contract/bin/check.ts')]).catch(
    (error: { code: number; stdout: string }) => error,
  )) as { code?: number; stdout: string };
  return { code, failed: [...stdout.matchAll(/^FAIL {2}(.*)$/gm)].map(([, name = '']) => name) };
}

describe('the gate of the contract', () => {
  it('G1 G2 lets the contract pass as it is, and nothing that breaks clients, was not generated or opens a method to others', async () => {
    expect(await runGate()).toEqual({ code: 0, failed: [] });

    change(
      'proto/taskflow/users/v1/users.proto',
      'message GetUserRequest {\n  // UUID.\n  string user_id = 1',
      'message GetUserRequest {\n  // UUID.\n  string user_id = 2',
    );
    // Written again, with everything else that is generated.
    rmSync(join(copy, 'proto/access.txt'));
    await run(process.execPath, [join(copy, 'libs/contract/bin/generate.ts')]);
    appendFileSync(join(copy, 'libs/contract/src/gen/taskflow/users/v1/users.ts'), '// by hand\n');
    change(
      'proto/access.txt',
      'user    /taskflow.users.v1.UsersService/GetUser [users:read]\n',
      'admin   /taskflow.users.v1.UsersService/GetUser [users:read]\n',
    );
    expect(await runGate()).toEqual({
      code: 1,
      failed: [
        'generated code is up to date',
        'no breaking change against the last release',
        'access is as agreed in proto/access.txt',
      ],
    });
  }, 600_000);

  it('refuses a method for people that says nothing of personal tokens', async () => {
    const scope = '      scope: SCOPE_USERS_READ\n';
    const withScope = `access: ACCESS_USER\n${scope}`;
    change('proto/taskflow/users/v1/users.proto', withScope, 'access: ACCESS_USER\n');
    await run(process.execPath, [join(copy, 'libs/contract/bin/generate.ts')]).catch(() => undefined);
    expect((await runGate()).failed).toContain('every method declares its policy');
    change('proto/taskflow/users/v1/users.proto', 'access: ACCESS_USER\n', withScope);
  }, 600_000);

  it('refuses a read that the policy does not call safe to repeat', async () => {
    const level = '    option idempotency_level = NO_SIDE_EFFECTS;\n';
    const login = '  rpc Login(LoginRequest) returns (LoginResponse) {\n';
    change('proto/taskflow/auth/v1/auth.proto', login, `${login}${level}`);
    await run(process.execPath, [join(copy, 'libs/contract/bin/generate.ts')]).catch(() => undefined);
    expect((await runGate()).failed).toEqual(
      expect.arrayContaining(['lint (rules of proto/README.md)', 'every method declares its policy']),
    );
    change('proto/taskflow/auth/v1/auth.proto', `${login}${level}`, login);
  }, 240_000);

  it('G1 refuses a method without a policy, a comment and a request id', async () => {
    change(
      'proto/taskflow/users/v1/users.proto',
      '  rpc GetUser(GetUserRequest) returns (GetUserResponse) {',
      '  rpc Unruled(UnruledRequest) returns (UnruledResponse);\n  rpc GetUser(GetUserRequest) returns (GetUserResponse) {',
    );
    change(
      'proto/taskflow/users/v1/users.proto',
      'message GetUserRequest {',
      'message UnruledRequest {}\n\nmessage UnruledResponse {}\n\nmessage GetUserRequest {',
    );
    const generated = await run(process.execPath, [join(copy, 'libs/contract/bin/generate.ts')]).catch(
      (error: unknown) => error as { code: number },
    );
    expect([(generated as { code?: number }).code, (await runGate()).failed]).toEqual([
      1,
      expect.arrayContaining([
        'lint (buf STANDARD and COMMENTS)',
        'lint (rules of proto/README.md)',
        'every method declares its policy',
      ]),
    ]);
  }, 600_000);
});
