import { html } from 'hono/html';

const style = `body{font:16px system-ui,sans-serif;max-width:28rem;margin:4rem auto;padding:0 1rem;color:#1b2430}
input,button{font:inherit;display:block;width:100%;box-sizing:border-box;margin:.5rem 0 1rem;padding:.5rem}`;

/** A page of our own around the dashboard's. */
export function page(content: ReturnType<typeof html>) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>TaskFlow: queues</title>
        <style>
          ${style}
        </style>
      </head>
      <body>
        <h1>TaskFlow: queues</h1>
        ${content}
      </body>
    </html>`;
}

/** Where the dashboard's menu leads: it can only show links, and a link must change nothing. */
export function signOutPage(path: string, { back }: { back: string }) {
  return page(
    html`<p>
        This browser forgets the access token. The token itself holds until it expires or its session is ended
        (AuthService.Logout).
      </p>
      <form method="post" action="${path}"><button>Sign out</button></form>
      <p><a href="${back}">Back to the queues</a></p>`,
  );
}
