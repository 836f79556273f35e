import { defineEntityOf } from '#libs/db';
import { ProjectRole } from '#contract/tasks/v1/projects';
import {
  memberRows,
  projectTable,
  type MemberValues,
  type ProjectDraft,
  type ProjectEdit,
  type ProjectValues,
} from './project.columns.ts';
import { projectArchived } from './project.errors.ts';
import { toEtag } from './task.columns.ts';

export const ProjectSchema = defineEntityOf(projectTable, {
  name: 'Project',
  indexes: [
    { name: 'projects_by_time', properties: ['createTime', 'id'] },
    { name: 'projects_purge', properties: ['purgeTime'], where: 'purge_time is not null' },
  ],
});

export class Project extends ProjectSchema.class {
  static of(values: ProjectValues): Project {
    return Object.assign(new Project(), values);
  }

  /** With its creator as the only member. */
  static create(draft: ProjectDraft, { id, now }: { id: string; now: Date }): Project {
    const times = { createTime: now, updateTime: now, archiveTime: null, deleteTime: null, purgeTime: null };
    return Project.of({ ...draft, id, memberCount: 1, lastNumber: 0n, version: 1n, ...times });
  }

  hasEtag(etag: string): boolean {
    return etag === toEtag(this.version);
  }

  /** Throws when it is read-only. */
  requireOpen(): void {
    if (this.archiveTime !== null) throw projectArchived(this.id);
  }

  edit(edit: ProjectEdit, now: Date): void {
    this.requireOpen();
    Object.assign(this, edit);
    this.touch(now);
  }

  archive(now: Date): void {
    this.archiveTime = now;
    this.touch(now);
  }

  unarchive(now: Date): void {
    this.archiveTime = null;
    this.touch(now);
  }

  delete(now: Date, purgeTime: Date): void {
    this.deleteTime = now;
    this.purgeTime = purgeTime;
    this.touch(now);
  }

  undelete(now: Date): void {
    this.deleteTime = null;
    this.purgeTime = null;
    this.touch(now);
  }

  private touch(now: Date): void {
    this.version += 1n;
    this.updateTime = now;
  }
}

ProjectSchema.setClass(Project);

export const MemberSchema = defineEntityOf(memberRows, {
  name: 'ProjectMember',
  indexes: [
    // A person's projects, and whether two people share one.
    { name: 'project_members_person', properties: ['userId', 'projectId'] },
    { name: 'project_members_by_time', properties: ['projectId', 'createTime', 'userId'] },
  ],
});

export class Member extends MemberSchema.class {
  static of(values: MemberValues): Member {
    return Object.assign(new Member(), values);
  }

  static create(origin: Pick<MemberValues, 'projectId' | 'userId' | 'role'>, now: Date): Member {
    return Member.of({ ...origin, version: 1n, createTime: now, updateTime: now });
  }

  isManager(): boolean {
    return this.role === ProjectRole.MANAGER;
  }

  hasEtag(etag: string): boolean {
    return etag === toEtag(this.version);
  }

  changeRole(role: ProjectRole, now: Date): void {
    this.role = role;
    this.version += 1n;
    this.updateTime = now;
  }
}

MemberSchema.setClass(Member);
