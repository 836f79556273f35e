import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import { serviceNames } from './service-names.ts';

/** What a person needs to know once everything is up. */
export function welcomeText(cluster: Cluster): string {
  const rows = serviceNames.map(
    (service) =>
      `  ${service.padEnd(10)} grpc ${cluster.address(service).padEnd(17)} ${cluster.httpAddress(service)}/metrics /livez /readyz`,
  );
  const mails =
    cluster.mailFolder === undefined
      ? ''
      : `  mails         ${cluster.mailFolder} (a file for each; nothing is sent)\n`;
  return `
TaskFlow is up: every service is SERVING.

${rows.join('\n')}

  administrator ${cluster.admin.email}, ${cluster.admin.passwordFile === undefined ? 'with the password given' : `password in ${cluster.admin.passwordFile}`}
  logs          ${join(cluster.dir, 'logs')}
${mails}  API reference ${cluster.httpAddress('tasks')}/docs
  job board     ${cluster.httpAddress('scheduler')}/board (sign in as the administrator)

Try:
  grpcurl -plaintext ${cluster.address('tasks')} list
  grpcurl -plaintext -d '{"email":"ada@example.com","password":"a long passphrase","display_name":"Ada"}' \\
    ${cluster.address('auth')} taskflow.auth.v1.AuthService/Register
  TOKEN=…   # tokens.accessToken of the answer; it is valid for ten minutes, AuthService/Login gives another
  grpcurl -plaintext -H "authorization: Bearer $TOKEN" -d '{"task":{"title":"Buy milk"}}' \\
    ${cluster.address('tasks')} taskflow.tasks.v1.TasksService/CreateTask
  grpcurl -plaintext -H "authorization: Bearer $TOKEN" ${cluster.address('tasks')} taskflow.tasks.v1.TasksService/ListTasks
`;
}
