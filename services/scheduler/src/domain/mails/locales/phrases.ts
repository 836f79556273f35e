/** A text about one thing, in one language. Texts of users come ready for showing; see `userText`. */
export interface Passage {
  subject: string;
  /** Paragraphs. */
  body: readonly string[];
  /** What the body is about, one by one. */
  list?: readonly string[];
  /** What the link does; without it the mail has none. */
  link?: string;
  /** Paragraphs below. */
  ending?: readonly string[];
}

/** A one-time token's mail: what it is for, and until when. */
export interface TokenFacts {
  expireTime: string;
  /** Of an invitation: who invites. */
  inviter: string | undefined;
  /** Of an invitation to a project: what it is called. */
  project: string;
}

/** What a notice is about. */
export interface NoticeFacts {
  time: string;
  newEmail: string;
  /** Of a deleted account: when it is removed for good. */
  purgeTime: string;
}

/** What a notification is about. */
export interface TaskFacts {
  title: string;
  /** Who did it; undefined when it was nobody, or nobody that has a name. */
  actor: string | undefined;
  dueTime: string | undefined;
  status: string;
  previousStatus: string;
}

export interface DigestFacts {
  count: number;
  tasks: readonly { title: string; dueTime: string | undefined }[];
}

/** The words for the status of a task. */
export type StatusWords = Record<'pending' | 'inProgress' | 'completed' | 'cancelled' | 'unknown', string>;

/** Everything that mails say, in one language. Another language is another object of this type in locales.ts. */
export interface Phrases {
  /** `name` is undefined when it is not known. */
  greeting(name: string | undefined): string;
  /** For a mail without a link: how the token is used. */
  token(token: string): string;
  statuses: StatusWords;

  passwordReset(facts: TokenFacts): Passage;
  emailVerification(facts: TokenFacts): Passage;
  invitation(facts: TokenFacts): Passage;
  projectInvitation(facts: TokenFacts): Passage;
  accountCreated(facts: TokenFacts): Passage;
  passwordChanged(facts: NoticeFacts): Passage;
  accountRecovered(facts: NoticeFacts): Passage;
  emailChangeRequested(facts: NoticeFacts): Passage;
  emailChanged(facts: NoticeFacts): Passage;
  accountDeleted(facts: NoticeFacts): Passage;

  overdue(facts: TaskFacts): Passage;
  statusChanged(facts: TaskFacts): Passage;
  assigned(facts: TaskFacts): Passage;
  commented(facts: TaskFacts): Passage;
  mentioned(facts: TaskFacts): Passage;
  overdueDigest(facts: DigestFacts): Passage;
  webhookDisabled(): Passage;

  /** Below each notification: why it came. */
  whyNotification: string;
  /** Below all other mails. */
  whyAccount: string;
}
