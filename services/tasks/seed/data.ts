import { ProjectRole, TaskPriority, TaskStatus } from '#client/tasks';

/** What the seeded people have, so that every view of it has something to show. */

export const people = ['Ada Lovelace', 'Grace Hopper', 'Katherine Johnson'] as const;
export type PersonName = (typeof people)[number];

const [ada, grace, katherine] = people;
const { LOW, HIGH, URGENT } = TaskPriority;
const { IN_PROGRESS, COMPLETED, CANCELLED } = TaskStatus;
const { VIEWER, COMMENTER, EDITOR } = ProjectRole;

export interface SeedTask {
  title: string;
  description?: string;
  status?: TaskStatus;
  priority?: TaskPriority;
  labels?: string[];
  /** Days from now; negative = overdue. */
  dueInDays?: number;
  /** "17:00" in UTC; without one it is due at the end of the day. */
  dueAt?: string;
  assignee?: PersonName;
  comments?: readonly { by: PersonName; text: string; mentions?: PersonName }[];
}

export interface SeedProject {
  key: string;
  name: string;
  description: string;
  color: string;
  manager: PersonName;
  members: readonly { person: PersonName; role: ProjectRole }[];
  archived?: boolean;
  tasks: readonly SeedTask[];
}

/** Tasks in no project: in every status, with and without due time, overdue, given to others. */
export const ownTasks: Readonly<Record<PersonName, readonly SeedTask[]>> = {
  'Ada Lovelace': [
    { title: 'Renew the certificate', dueInDays: -3, dueAt: '12:00', priority: URGENT, labels: ['operations'] },
    { title: 'Water the plants', dueInDays: -1, dueAt: '18:00', labels: ['home'] },
    { title: 'Review the contract', status: IN_PROGRESS, dueInDays: 5, labels: ['office'], assignee: grace },
    { title: 'Clean the inbox', dueInDays: 1 },
    { title: 'Plan the offsite', labels: ['team'] },
    { title: 'Call the landlord', dueInDays: 14, priority: LOW },
    { title: 'Answer the survey', status: COMPLETED, priority: LOW },
    { title: 'Order new chairs', status: CANCELLED, labels: ['office'] },
  ],
  'Grace Hopper': [
    { title: 'Write the report on the outage', dueInDays: -1, dueAt: '15:00', priority: HIGH, assignee: ada },
    { title: 'Prepare the talk', status: IN_PROGRESS, dueInDays: 6, dueAt: '10:00', labels: ['team'] },
    { title: 'Book the train', dueInDays: 2, labels: ['travel'] },
    { title: 'Hand in the expenses', status: COMPLETED },
  ],
  'Katherine Johnson': [
    { title: 'Check the figures', dueInDays: 0, dueAt: '23:59', priority: HIGH, labels: ['numbers'] },
    { title: 'Interview the new colleague', dueInDays: 3, dueAt: '14:00', labels: ['team'], assignee: ada },
    { title: 'Return the library books', dueInDays: -2 },
  ],
};

export const projects: readonly SeedProject[] = [
  {
    key: 'WEB',
    name: 'Website relaunch',
    description: 'The new pages go online in two weeks.',
    color: '#0d6e63',
    manager: ada,
    members: [
      { person: grace, role: EDITOR },
      { person: katherine, role: COMMENTER },
    ],
    tasks: [
      { title: 'Collect the old pages', status: COMPLETED, assignee: grace },
      { title: 'Agree on the structure', status: COMPLETED, priority: HIGH, assignee: ada },
      {
        title: 'Write the texts of the landing page',
        description: 'One screen: what it is, for whom, and how to begin. No more than 120 words.',
        status: IN_PROGRESS,
        priority: HIGH,
        labels: ['texts'],
        dueInDays: 1,
        dueAt: '17:00',
        assignee: ada,
        comments: [
          { by: grace, text: 'The second paragraph promises more than we have. Shall we leave it out?' },
          { by: ada, text: 'Yes, it is gone. Could you read it again?', mentions: grace },
          { by: katherine, text: 'The numbers are right now.' },
        ],
      },
      { title: 'Draw the illustrations', status: IN_PROGRESS, dueInDays: 4, labels: ['design'], assignee: katherine },
      {
        title: 'Redirect the old addresses',
        priority: URGENT,
        labels: ['operations'],
        dueInDays: -1,
        dueAt: '10:00',
        assignee: grace,
        comments: [{ by: ada, text: 'Search engines still find the old ones.', mentions: grace }],
      },
      { title: 'Check every page with a screen reader', dueInDays: 6, labels: ['accessibility'] },
      { title: 'Measure how fast the pages load', dueInDays: 8, labels: ['performance'], assignee: grace },
      { title: 'Announce the relaunch', dueInDays: 10, dueAt: '09:00', assignee: ada },
      { title: 'Translate the pages into German', dueInDays: 14, labels: ['texts'] },
      { title: 'Compare the licences of three fonts', status: CANCELLED, priority: LOW },
    ],
  },
  {
    key: 'OPS',
    name: 'Operations',
    description: '',
    color: '#b3541e',
    manager: grace,
    members: [
      { person: ada, role: EDITOR },
      { person: katherine, role: VIEWER },
    ],
    tasks: [
      { title: 'Rotate the signing keys', priority: HIGH, labels: ['security'], dueInDays: 3, assignee: grace },
      {
        title: 'Restore last night’s backup as a test',
        status: IN_PROGRESS,
        labels: ['backups'],
        dueInDays: -2,
        dueAt: '16:00',
        assignee: ada,
        comments: [{ by: grace, text: 'It took 40 minutes last time. Please write down how long it takes now.' }],
      },
      { title: 'Raise the limit of open files', status: COMPLETED },
      { title: 'Write the runbook for a full disk', dueInDays: 7, labels: ['docs'] },
      { title: 'Upgrade PostgreSQL', dueInDays: 21, assignee: grace },
      { title: 'Silence the noisy alert', priority: LOW, assignee: ada },
    ],
  },
  {
    key: 'MOVE',
    name: 'Office move',
    description: 'Done. Kept for those who look for a receipt.',
    color: '#6a4fa3',
    manager: katherine,
    members: [{ person: ada, role: COMMENTER }],
    archived: true,
    tasks: [
      { title: 'Find a new office', status: COMPLETED },
      { title: 'Hire a van', status: COMPLETED },
    ],
  },
];
