/** Where links of mails lead. */
export interface MailLinks {
  /** Of the console, or a site with the same addresses, without a slash at its end; undefined when there is none. */
  site: string | undefined;
  /** Whom a mail program asks to end such mails; undefined when nobody reads there. */
  unsubscribeAddress: string | undefined;
}

/** Addresses of the console (services/gateway/console). */
type Page = 'reset-password' | 'verify-email' | 'invitation' | 'project-invitation' | 'inbox' | 'settings';

export const pageUrl = ({ site }: MailLinks, page: Page): string | undefined => site && `${site}/${page}`;

export const taskUrl = ({ site }: MailLinks, taskId: string): string | undefined =>
  site && `${site}/tasks?task=${taskId}`;

/** The token stands behind the #, so that no browser sends it to a server, whose logs would keep it. */
export const tokenUrl = (links: MailLinks, page: Page, token: string): string | undefined => {
  const url = pageUrl(links, page);
  return url && `${url}#token=${encodeURIComponent(token)}`;
};

/** For List-Unsubscribe. There is no address that ends mails without a sign-in, so a page shows the settings. */
export function unsubscribeUris(links: MailLinks): string[] {
  const { unsubscribeAddress } = links;
  const settings = pageUrl(links, 'settings');
  return [
    ...(unsubscribeAddress === undefined ? [] : [`mailto:${unsubscribeAddress}?subject=unsubscribe`]),
    ...(settings === undefined ? [] : [settings]),
  ];
}
