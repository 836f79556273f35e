import { useQueryClient } from '@tanstack/react-query';
import { useMemo, useState, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { TaskFlowError } from '#client/index';
import { ProjectRole, type Project } from '#client/tasks';
import { api } from '../api.ts';
import { useTasks } from '../live/use-tasks.ts';
import { isAdmin, useMe } from '../session/use-session.ts';
import { PageHead } from '../shell/page-head.tsx';
import { reportFailure } from '../tasks/report-failure.ts';
import { mayWriteIn } from '../tasks/task-rights.ts';
import { TasksView } from '../tasks/tasks-view.tsx';
import { IconButton } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { TextArea, TextField } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { Icon } from '../ui/icon.tsx';
import { Menu, type MenuEntry } from '../ui/menu.tsx';
import { Empty, ErrorNotice, Loading, Notice } from '../ui/notice.tsx';
import { showToast } from '../ui/toast.tsx';
import { Invitations } from './invitations.tsx';
import { Members } from './members.tsx';
import { roleLabel } from './roles.ts';
import { useProject } from './use-project.ts';

type Asking = 'edit' | 'delete' | 'leave' | undefined;

function EditProject({ project, onClose }: { project: Project; onClose: () => void }) {
  const queryClient = useQueryClient();
  return (
    <FormDialog
      title="Edit project"
      verb="Save"
      onClose={onClose}
      work={async (fields) => {
        const { id, etag } = project;
        await api.projects.updateProject({
          project: { id, etag, name: fields('name'), description: fields('description'), color: fields('color') },
          updateMask: { paths: ['name', 'description', 'color'] },
        });
        await queryClient.invalidateQueries({ queryKey: ['projects'] });
      }}
    >
      <TextField label="Name" name="name" required maxLength={100} defaultValue={project.name} />
      <TextArea label="Description" name="description" maxLength={2000} defaultValue={project.description} />
      <TextField label="Colour" name="color" type="color" defaultValue={project.color || '#0d6e63'} />
    </FormDialog>
  );
}

function useProjectMenu(project: Project, ask: (asking: Asking) => void): MenuEntry[][] {
  const queryClient = useQueryClient();
  const isManager = project.role === ProjectRole.MANAGER;
  const isArchived = project.archiveTime !== undefined;
  const setArchived = async (archived: boolean): Promise<void> => {
    const request = { projectId: project.id, etag: project.etag };
    await (archived ? api.projects.archiveProject(request) : api.projects.unarchiveProject(request));
    await queryClient.invalidateQueries({ queryKey: ['projects'] });
    showToast(archived ? 'The project is archived' : 'The project is open again');
  };
  const manage: MenuEntry[] = [
    { label: 'Edit', icon: 'gear', onChoose: () => ask('edit') },
    {
      label: isArchived ? 'Open again' : 'Archive',
      icon: 'folder',
      onChoose: () => void setArchived(!isArchived).catch(reportFailure),
    },
  ];
  return [
    isManager ? manage : [],
    [
      { label: 'Leave', icon: 'out', onChoose: () => ask('leave') },
      ...(isManager
        ? [{ label: 'Delete', icon: 'trash' as const, danger: true, onChoose: () => ask('delete') }]
        : []),
    ],
  ];
}

function Questions({ project, asking, onClose }: { project: Project; asking: Asking; onClose: () => void }) {
  const [, navigate] = useLocation();
  const queryClient = useQueryClient();
  const gone = async (words: string): Promise<void> => {
    navigate('/projects');
    showToast(words);
    await queryClient.invalidateQueries({ queryKey: ['projects'] });
  };
  if (asking === 'edit') return <EditProject project={project} onClose={onClose} />;
  if (asking === 'leave')
    return (
      <Confirm
        title={`Leave “${project.name}”?`}
        verb="Leave"
        onClose={onClose}
        work={async () => {
          await api.projects.leaveProject({ projectId: project.id });
          await gone('You have left the project');
        }}
      >
        <p className="soft">You will not see it any more, until a manager adds you again.</p>
      </Confirm>
    );
  if (asking !== 'delete') return null;
  return (
    <Confirm
      title={`Delete “${project.name}”?`}
      verb="Delete project"
      danger
      onClose={onClose}
      work={async () => {
        await api.projects.deleteProject({ projectId: project.id, etag: project.etag });
        await gone('The project is deleted');
      }}
    >
      <p className="soft">Nobody will see it any more. It is kept for a while, in case that was a mistake.</p>
    </Confirm>
  );
}

interface ProjectHeadProps {
  project: Project;
  children: ReactNode;
}

function ProjectHead({ project, children }: ProjectHeadProps) {
  const [asking, setAsking] = useState<Asking>();
  const groups = useProjectMenu(project, setAsking).map((entries) => ({ entries }));
  return (
    <>
      <PageHead
        title={project.name}
        menu={<Menu align="end" trigger={<IconButton icon="more" label="More about this project" />} groups={groups} />}
      >
        <span className="badge">{project.key}</span>
        {project.role !== ProjectRole.UNSPECIFIED && <span className="badge accent">{roleLabel(project.role)}</span>}
        {children}
      </PageHead>
      {project.archiveTime !== undefined && (
        <Notice kind="warn" icon="folder">
          This project is archived: it can be seen, not changed.
        </Notice>
      )}
      {project.description !== '' && <p className="soft">{project.description}</p>}
      <Questions project={project} asking={asking} onClose={() => setAsking(undefined)} />
    </>
  );
}

function ProjectTasks({ project }: { project: Project }) {
  const me = useMe();
  const { tasks } = useTasks();
  const pool = useMemo(
    () => [...tasks.values()].filter(({ projectId }) => projectId === project.id),
    [tasks, project.id],
  );
  return (
    <TasksView
      label={`Tasks of ${project.name}`}
      pool={pool}
      projectId={project.id}
      readOnly={!mayWriteIn(project, { id: me.id, isAdmin: isAdmin(me) })}
      head={(viewSwitch) => (
        <ProjectHead project={project}>
          {viewSwitch}
          <Link className="button" href={`/projects/${project.id}/members`}>
            <Icon name="team" size={16} /> {project.memberCount}
            <span className="if-wide"> {project.memberCount === 1 ? 'member' : 'members'}</span>
          </Link>
        </ProjectHead>
      )}
    />
  );
}

function ProjectMembers({ project }: { project: Project }) {
  return (
    <Framed>
      <ProjectHead project={project}>
        <Link className="button" href={`/projects/${project.id}`}>
          <Icon name="list" size={16} /> Tasks
        </Link>
      </ProjectHead>
      <Members project={project} />
      {project.role === ProjectRole.MANAGER && <Invitations project={project} />}
    </Framed>
  );
}

const Framed = ({ children }: { children: ReactNode }) => (
  <div className="page">
    <div className="page-inner">{children}</div>
  </div>
);

function Missing({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (!(error instanceof TaskFlowError) || error.code !== 'NOT_FOUND')
    return <ErrorNotice error={error} onRetry={onRetry} />;
  return (
    <Empty icon="folder" title="No such project">
      <p>It was deleted, or you do not belong to it.</p>
    </Empty>
  );
}

/** The tasks of a project, or its members. */
export function ProjectPage({ projectId, part }: { projectId: string; part: string | undefined }) {
  const { data, error, refetch } = useProject(projectId);
  if (data !== undefined) return part === 'members' ? <ProjectMembers project={data} /> : <ProjectTasks project={data} />;
  return <Framed>{error === null ? <Loading rows={5} /> : <Missing error={error} onRetry={() => void refetch()} />}</Framed>;
}
