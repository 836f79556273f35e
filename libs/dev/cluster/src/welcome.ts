import { join } from 'node:path';
import type { Account } from '#client/index';
import type { Cluster } from './cluster.ts';
import { defaultPorts, serviceNames, settingOf } from './service-names.ts';

/** What a person needs to know once everything is up. `account`: the one that the demonstration is about to make. */
export function welcomeText(cluster: Cluster, account?: Account): string {
  const rows = serviceNames.map(
    (service) =>
      `  ${service.padEnd(10)} grpc ${cluster.address(service).padEnd(17)} ${cluster.httpAddress(service)}/metrics /livez /readyz`,
  );
  const gateway = cluster.address('gateway');
  const mails =
    cluster.mailFolder === undefined
      ? ''
      : `  mails         ${cluster.mailFolder} (a file for each; nothing is sent)\n`;
  const { TASKFLOW_TLS_CA_FILE: authority } = cluster.clientEnv;
  const security = authority === undefined ? '-plaintext' : `-cacert ${authority}`;
  const [scheme, believed] = authority === undefined ? ['http', ''] : ['https', `--cacert ${authority} `];
  return `
TaskFlow is up: every service is SERVING.

  console       ${scheme}://${gateway.replace('127.0.0.1', 'localhost')} in a browser
${
  account === undefined
    ? ''
    : `                sign in as ${account.email}, password ${account.password}, when the demonstration below is done
`
}
${rows.join('\n')}
  gateway    ${scheme} ${gateway.padEnd(17)} ${cluster.httpAddress('gateway')}/metrics /livez /readyz

  administrator ${cluster.admin.email}, ${cluster.admin.passwordFile === undefined ? 'with the password given' : `password in ${cluster.admin.passwordFile}`}
  logs          ${join(cluster.dir, 'logs')}
${mails}  API reference ${cluster.httpAddress('tasks')}/docs

Try:
  ${taskflowCommand(cluster)}register ada@example.com   # asks for a password; then add, ls, watch, --help
  grpcurl ${security} ${cluster.address('tasks')} list
  grpcurl ${security} -d '{"email":"ada@example.com","password":"a long passphrase","display_name":"Ada"}' \\
    ${cluster.address('auth')} taskflow.auth.v1.AuthService/Register
  TOKEN=…   # tokens.accessToken of the answer; it is valid for ten minutes, AuthService/Login gives another
  grpcurl ${security} -H "authorization: Bearer $TOKEN" -d '{"task":{"title":"Buy milk"}}' \\
    ${cluster.address('tasks')} taskflow.tasks.v1.TasksService/CreateTask
  grpcurl ${security} -H "authorization: Bearer $TOKEN" ${cluster.address('tasks')} taskflow.tasks.v1.TasksService/ListTasks
  curl ${believed}-H 'content-type: application/json' -H "authorization: Bearer $TOKEN" -d '{}' \\
    ${scheme}://${gateway}/taskflow.tasks.v1.TasksService/ListTasks
${seedCommand(cluster)}`;
}

/** Settings for programs of this checkout, where this cluster is not where they look by themselves. */
function settingsFor(cluster: Cluster): string[] {
  const elsewhere = serviceNames.filter((name) => cluster.address(name) !== `127.0.0.1:${defaultPorts[name].calls}`);
  const settings = Object.entries({
    ...cluster.clientEnv,
    ...Object.fromEntries(elsewhere.map((name) => [settingOf(name, 'ADDRESS'), cluster.address(name)])),
  });
  return settings.map(([name, value]) => `${name}=${value}`);
}

const taskflowCommand = (cluster: Cluster): string => [...settingsFor(cluster), 'npx taskflow '].join(' ');

/** With settings it is not obvious. */
function seedCommand(cluster: Cluster): string {
  const settings = settingsFor(cluster);
  return settings.length === 0 ? '' : `  ${settings.join(' ')} npm run seed\n`;
}
