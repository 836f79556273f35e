import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { EmailResolution, ProjectInvitationState, type Project, type ProjectInvitation } from '#client/tasks';
import { api } from '../api.ts';
import { reportFailure } from '../tasks/report-failure.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Icon } from '../ui/icon.tsx';
import { Notice } from '../ui/notice.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { Section } from '../ui/table.tsx';
import { showToast } from '../ui/toast.tsx';
import { When } from '../ui/when.tsx';
import { roleLabel } from './roles.ts';

const { OPEN, ACCEPTED, CANCELLED, EXPIRED, INVITER_GONE, PROJECT_ARCHIVED, PROJECT_FULL, TOO_MANY_PROJECTS } =
  ProjectInvitationState;

interface Entry {
  invitation: ProjectInvitation;
  /** Whether auth answered; else e-mail and time of the mail are missing. */
  mailKnown: boolean;
}

const states: Partial<Record<ProjectInvitationState, { label: string; tone: string; hint?: string }>> = {
  [OPEN]: { label: 'Open', tone: 'accent' },
  [EXPIRED]: { label: 'Expired', tone: 'warn' },
  [INVITER_GONE]: { label: 'Ended', tone: '', hint: 'whoever invited manages the project no more' },
  [PROJECT_ARCHIVED]: { label: 'Ended', tone: '', hint: 'it was accepted while the project was archived' },
  [PROJECT_FULL]: { label: 'Ended', tone: '', hint: 'it was accepted when the project had no room for members' },
  [TOO_MANY_PROJECTS]: { label: 'Ended', tone: '', hint: 'the person belongs to as many projects as they may' },
};

const soonMs = 2000;
const usualMs = 60_000;

/** Auth hears of an invitation after it is made: until then it has no e-mail, and no mail. */
const isFresh = ({ invitation: { state, createTime, mailTime } }: Entry): boolean =>
  state === OPEN && mailTime === undefined && createTime !== undefined && Date.now() - timestampMs(createTime) < usualMs;

/** Accepted ones are members, and cancelled ones are over. A page has one of the others, unless there is none. */
async function fetchEntries(projectId: string, from: string, signal: AbortSignal) {
  const items: Entry[] = [];
  let pageToken = from;
  do {
    const answer = await api.projects.listProjectInvitations({ projectId, pageToken }, { signal });
    const mailKnown = answer.emailResolution !== EmailResolution.UNAVAILABLE;
    const shown = answer.invitations.filter(({ state }) => state !== ACCEPTED && state !== CANCELLED);
    items.push(...shown.map((invitation) => ({ invitation, mailKnown })));
    pageToken = answer.nextPageToken;
  } while (items.length === 0 && pageToken !== '');
  return { items, nextPageToken: pageToken };
}

function nameOf(entry: Entry): string {
  if (entry.invitation.email !== '') return entry.invitation.email;
  if (!entry.mailKnown) return 'E-mail not known now';
  return isFresh(entry) ? 'The e-mail follows' : 'No e-mail known';
}

function Mailed(entry: Entry) {
  const { mailTime, state } = entry.invitation;
  if (!entry.mailKnown || (mailTime === undefined && state !== OPEN)) return null;
  if (mailTime === undefined)
    return <> · {isFresh(entry) ? 'not mailed yet' : 'not mailed: an address gets only a few mails in an hour'}</>;
  return (
    <>
      {' '}
      · mailed <When ms={timestampMs(mailTime)} />
    </>
  );
}

function Facts({ entry }: { entry: Entry }) {
  const { role, inviterName, state, expireTime } = entry.invitation;
  const hint = states[state]?.hint;
  return (
    <span className="small soft">
      {roleLabel(role)} · by {inviterName || 'somebody'}
      <Mailed {...entry} />
      {state === OPEN && expireTime !== undefined && (
        <>
          {' '}
          · ends <When ms={timestampMs(expireTime)} />
        </>
      )}
      {hint !== undefined && <> · {hint}</>}
    </span>
  );
}

function useResend({ projectId, id: invitationId }: ProjectInvitation, name: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => api.projects.resendProjectInvitation({ projectId, invitationId }),
    onSuccess: () => showToast(`Another mail was asked for: ${name}`),
    onError: reportFailure,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['projects', 'invitations', projectId] }),
  });
}

function InvitationLine({ entry, onCancel }: { entry: Entry; onCancel: () => void }) {
  const { invitation } = entry;
  const name = nameOf(entry);
  const resend = useResend(invitation, name);
  const { label, tone } = states[invitation.state] ?? { label: 'Unknown', tone: '' };
  const isWaiting = invitation.state === OPEN || invitation.state === EXPIRED;
  return (
    <li className="member invitation">
      <Icon name="mail" />
      <span className="grow">
        <span className="truncate">{name}</span>
        <Facts entry={entry} />
      </span>
      <span className={`badge ${tone}`}>{label}</span>
      {isWaiting && (
        <span className="row">
          <Button compact busy={resend.isPending} onClick={() => resend.mutate()} aria-label={`Send again: ${name}`}>
            Send again
          </Button>
          <IconButton icon="close" label={`Cancel the invitation: ${name}`} onClick={onCancel} />
        </span>
      )}
    </li>
  );
}

function CancelInvitation({ entry, onClose }: { entry: Entry; onClose: () => void }) {
  const queryClient = useQueryClient();
  const { projectId, id: invitationId } = entry.invitation;
  return (
    <Confirm
      title="Cancel the invitation?"
      verb="Cancel the invitation"
      dismiss="Keep it"
      danger
      onClose={onClose}
      work={async () => {
        await api.projects.cancelProjectInvitation({ projectId, invitationId });
        await queryClient.invalidateQueries({ queryKey: ['projects', 'invitations', projectId] });
      }}
    >
      <p className="soft">
        <strong>{nameOf(entry)}</strong>: the link in the mail will not work any more.
      </p>
    </Confirm>
  );
}

/** For managers: who is invited by mail, and has not joined. */
export function Invitations({ project }: { project: Project }) {
  const [cancelling, setCancelling] = useState<Entry>();
  const paged = usePaged<Entry>({
    queryKey: ['projects', 'invitations', project.id],
    fetchPage: (pageToken, signal) => fetchEntries(project.id, pageToken, signal),
    refetchMs: (entries) => (entries.some((entry) => isFresh(entry) || !entry.mailKnown) ? soonMs : usualMs),
  });
  if (paged.query.isSuccess && paged.items.length === 0) return null;
  return (
    <Section title="Invitations" lead="Who was invited by mail, and has not joined yet.">
      {paged.items.some(({ mailKnown }) => !mailKnown) && (
        <Notice kind="warn">
          The service that knows the e-mails does not answer now. The invitations hold all the same.
        </Notice>
      )}
      <Paged paged={paged} empty={null}>
        {(entries) => (
          <ul className="members">
            {entries.map((entry) => (
              <InvitationLine key={entry.invitation.id} entry={entry} onCancel={() => setCancelling(entry)} />
            ))}
          </ul>
        )}
      </Paged>
      {cancelling !== undefined && <CancelInvitation entry={cancelling} onClose={() => setCancelling(undefined)} />}
    </Section>
  );
}
