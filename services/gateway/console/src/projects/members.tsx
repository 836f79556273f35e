import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ProjectRole, type Project, type ProjectMember } from '#client/tasks';
import { api } from '../api.ts';
import { useMe } from '../session/use-session.ts';
import { reportFailure } from '../tasks/report-failure.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { SelectField } from '../ui/field.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { Section } from '../ui/table.tsx';
import { showToast } from '../ui/toast.tsx';
import { AddMember } from './add-member.tsx';
import { roleLabel, roles } from './roles.ts';

interface MemberProps {
  member: ProjectMember;
  isManager: boolean;
}

function MemberLine({ member, isManager }: MemberProps) {
  const me = useMe();
  const queryClient = useQueryClient();
  const { projectId, userId, etag } = member;
  const name = member.userName || (userId === me.id ? me.displayName : 'Somebody');
  const settled = () => queryClient.invalidateQueries({ queryKey: ['projects'] });
  const setRole = useMutation({
    mutationFn: (role: ProjectRole) => api.projects.setMemberRole({ projectId, userId, role, etag }),
    onError: reportFailure,
    onSettled: settled,
  });
  const remove = useMutation({
    mutationFn: () => api.projects.removeMember({ projectId, userId }),
    onSuccess: () =>
      showToast(`${name} is no longer a member`, {
        label: 'Undo',
        run: () =>
          void api.projects
            .addMember({ projectId, person: { case: 'userId', value: userId }, role: member.role })
            .then(settled)
            .catch(reportFailure),
      }),
    onError: reportFailure,
    onSettled: settled,
  });
  return (
    <li className="member">
      <Avatar id={userId} name={name} large />
      <span className="grow truncate">
        {name}
        {userId === me.id && <span className="faint"> (you)</span>}
      </span>
      {isManager ? (
        <SelectField
          label={`Role of ${name}`}
          choices={roles}
          value={member.role}
          onChoose={(role) => setRole.mutate(role)}
          disabled={setRole.isPending}
        />
      ) : (
        <span className="badge">{roleLabel(member.role)}</span>
      )}
      {isManager && userId !== me.id && (
        <IconButton icon="close" label={`Remove ${name}`} onClick={() => remove.mutate()} />
      )}
    </li>
  );
}

export function Members({ project }: { project: Project }) {
  const [adding, setAdding] = useState(false);
  const isManager = project.role === ProjectRole.MANAGER;
  const paged = usePaged<ProjectMember>({
    queryKey: ['projects', 'members', project.id],
    fetchPage: async (pageToken, signal) => {
      const answer = await api.projects.listMembers({ projectId: project.id, pageToken }, { signal });
      return { items: answer.members, nextPageToken: answer.nextPageToken };
    },
    refetchMs: 60_000,
  });
  return (
    <Section
      title="Members"
      lead="Who belongs to the project, and what they may do."
      actions={
        isManager && (
          <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
            Add a member
          </Button>
        )
      }
    >
      <Paged paged={paged} empty={null}>
        {(members) => (
          <ul className="members">
            {members.map((member) => (
              <MemberLine key={member.userId} member={member} isManager={isManager} />
            ))}
          </ul>
        )}
      </Paged>
      {adding && <AddMember project={project} onClose={() => setAdding(false)} />}
    </Section>
  );
}
