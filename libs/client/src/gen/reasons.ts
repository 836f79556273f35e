// Generated from proto/taskflow/policy/v1/reasons.proto by `npm run proto:generate`. Do not edit.

/** The domain of every google.rpc.ErrorInfo. */
export const errorDomain = 'taskflow.dev';

/** Why a call did not succeed. */
export type ErrorReason =
  /** INVALID_ARGUMENT: at least one field breaks its rule; BadRequest names every one. Metadata: fields, the first ten of them. */
  | 'INVALID_FIELD'
  /** INVALID_ARGUMENT: the bytes are not a valid message of the request's type, or a header breaks the protocol. Metadata: header, when it is one. */
  | 'MALFORMED_REQUEST'
  /** INVALID_ARGUMENT: the page token is damaged, or belongs to another request or caller. */
  | 'PAGE_TOKEN_INVALID'
  /** INVALID_ARGUMENT: the request id was used before with another request. */
  | 'REQUEST_ID_REUSED'
  /** ABORTED: the same request is being carried out; RetryInfo says when to ask again. */
  | 'REQUEST_IN_PROGRESS'
  /** UNAUTHENTICATED: the method needs credentials and none came. */
  | 'CREDENTIALS_MISSING'
  /** UNAUTHENTICATED: the access token is not valid (any more). */
  | 'TOKEN_INVALID'
  /** UNAUTHENTICATED: unknown e-mail, wrong password or disabled account; which one is not told. */
  | 'CREDENTIALS_INVALID'
  /** UNAUTHENTICATED: the refresh token is not valid (any more). */
  | 'REFRESH_TOKEN_INVALID'
  /** UNAUTHENTICATED: a replaced refresh token was used again; its session has been ended. */
  | 'TOKEN_REUSED'
  /** PERMISSION_DENIED: the method is for administrators, or another person's list is. Metadata: ownerId, when it is the list. */
  | 'ADMIN_REQUIRED'
  /** PERMISSION_DENIED: the method is for services, and the caller proved to be none. */
  | 'SERVICE_IDENTITY_REQUIRED'
  /** PERMISSION_DENIED: the calling service is not on the method's list. Metadata: service. */
  | 'CALLER_NOT_ALLOWED'
  /** PERMISSION_DENIED: the method is for services, and the connection has no client certificate. */
  | 'CERTIFICATE_REQUIRED'
  /** PERMISSION_DENIED: the client certificate of the connection names none of the services that may call the method. Metadata: services, which it names. */
  | 'CERTIFICATE_NOT_ALLOWED'
  /** PERMISSION_DENIED: the service token is of another service than the client certificate. Metadata: service, that of the token; services, those of the certificate. */
  | 'CERTIFICATE_MISMATCH'
  /** PERMISSION_DENIED: the caller may see the resource, but not do this to it. Metadata: taskId. */
  | 'NOT_OWNER'
  /** PERMISSION_DENIED: the current password is wrong. */
  | 'PASSWORD_WRONG'
  /** PERMISSION_DENIED: the operator does not let people register without an invitation, or invite them any more. */
  | 'REGISTRATION_CLOSED'
  /** PERMISSION_DENIED: the personal token does not hold the method's scope. Metadata: scope. */
  | 'MISSING_SCOPE'
  /** PERMISSION_DENIED: no personal token may call the method; sign in. */
  | 'SESSION_REQUIRED'
  /** NOT_FOUND: no such task, or the caller may not see it. Metadata: taskId. */
  | 'TASK_NOT_FOUND'
  /** NOT_FOUND: no such user, or the caller may not see it. Metadata: userId, unless the user was named by e-mail. */
  | 'USER_NOT_FOUND'
  /** NOT_FOUND: no such schedule. Metadata: scheduleId. */
  | 'SCHEDULE_NOT_FOUND'
  /** NOT_FOUND: no such session, or not one of the caller's. Metadata: sessionId. */
  | 'SESSION_NOT_FOUND'
  /** NOT_FOUND: no such invitation (any more). Metadata: invitationId. */
  | 'INVITATION_NOT_FOUND'
  /** NOT_FOUND: no such personal token, or not one that the caller may end. Metadata: personalTokenId. */
  | 'PERSONAL_TOKEN_NOT_FOUND'
  /** NOT_FOUND: this server has no such breaker: it has not called that method yet. */
  | 'BREAKER_NOT_FOUND'
  /** NOT_FOUND: no such queue. */
  | 'QUEUE_NOT_FOUND'
  /** NOT_FOUND: nothing is recorded about such a job (any more). Metadata: jobId. */
  | 'JOB_NOT_FOUND'
  /** NOT_FOUND: no such dead job. Metadata: deadJobId. */
  | 'DEAD_JOB_NOT_FOUND'
  /** NOT_FOUND: no such dead-letter event. Metadata: eventId. */
  | 'DEAD_LETTER_EVENT_NOT_FOUND'
  /** ALREADY_EXISTS: an account with this e-mail exists. */
  | 'EMAIL_TAKEN'
  /** ALREADY_EXISTS: the owner has a task with this external id. */
  | 'EXTERNAL_ID_TAKEN'
  /** ABORTED: the resource has changed since the etag was read. Metadata: id, the resource's. */
  | 'ETAG_MISMATCH'
  /** ABORTED: a concurrent change won; repeat the request. */
  | 'WRITE_CONFLICT'
  /** FAILED_PRECONDITION: the task's status does not allow this move. Metadata: taskId, fromStatus, toStatus. */
  | 'ILLEGAL_STATUS_TRANSITION'
  /** FAILED_PRECONDITION: the assignee does not exist or is disabled, or may not be found by the caller when named by e-mail. Metadata: assigneeId, unless named by e-mail. */
  | 'ASSIGNEE_NOT_FOUND'
  /** FAILED_PRECONDITION: no enabled administrator would be left. Metadata: userId. */
  | 'LAST_ADMIN'
  /** FAILED_PRECONDITION: the invitation does not admit this e-mail (any more); why is not told. */
  | 'INVITATION_INVALID'
  /** FAILED_PRECONDITION: somebody has registered with the invitation. Metadata: invitationId. */
  | 'INVITATION_ACCEPTED'
  /** FAILED_PRECONDITION: the account has as many personal tokens as are allowed. Metadata: maxPersonalTokenCount. */
  | 'TOO_MANY_PERSONAL_TOKENS'
  /** FAILED_PRECONDITION: the account is a person's, who alone creates tokens for it. Metadata: userId. */
  | 'SERVICE_ACCOUNT_REQUIRED'
  /** FAILED_PRECONDITION: a service account has no e-mail and no password. Metadata: userId. */
  | 'PERSON_REQUIRED'
  /** FAILED_PRECONDITION: the dead job has been retried or discarded already. Metadata: deadJobId. */
  | 'DEAD_JOB_RESOLVED'
  /** FAILED_PRECONDITION: this release has no such job, or its payload breaks the schema. Metadata: deadJobId. */
  | 'JOB_NOT_RUNNABLE'
  /** FAILED_PRECONDITION: the dead-letter event could not be handled this time either. Metadata: eventId. */
  | 'EVENT_NOT_HANDLED'
  /** OUT_OF_RANGE: the position is older than what is kept; begin with SyncTasks without a token. */
  | 'RESUME_TOKEN_COMPACTED'
  /** OUT_OF_RANGE: events behind the position are no longer kept, so some were missed; go on without a position. */
  | 'EVENTS_COMPACTED'
  /** OUT_OF_RANGE: the log was restored, moved or failed over since the position was given, so what follows it is not known; begin again without it, with SyncTasks or ListNotifications for what there is now. */
  | 'LOG_RESTORED'
  /** INVALID_ARGUMENT: the resume or sync token is damaged, or belongs to another caller. Metadata: fields. */
  | 'RESUME_TOKEN_INVALID'
  /** UNAVAILABLE: the breaker towards a needed service is open; RetryInfo says when it is tried again. Metadata: service. */
  | 'CIRCUIT_OPEN'
  /** UNAVAILABLE: a needed service did not answer. Metadata: service. */
  | 'DEPENDENCY_UNAVAILABLE'
  /** UNAVAILABLE: the database is out of reach. */
  | 'DATABASE_UNAVAILABLE'
  /** UNAVAILABLE: the job queue is out of reach. */
  | 'QUEUE_UNAVAILABLE'
  /** UNAVAILABLE: the keys to check tokens with are not there yet. */
  | 'KEYS_UNAVAILABLE'
  /** UNAVAILABLE: auth, which knows the personal tokens, did not answer. */
  | 'TOKENS_UNAVAILABLE'
  /** UNAVAILABLE: the profile of a new account has not arrived yet. */
  | 'PROFILE_NOT_READY'
  /** UNAVAILABLE: the server is shutting down; another replica or a repeat will do. */
  | 'SHUTTING_DOWN'
  /** UNAVAILABLE: whether tokens have been revoked cannot be told now, and the method is too sensitive to go on without. */
  | 'REVOCATIONS_STALE'
  /** UNAVAILABLE: the store of the limits is out of reach, and the method is too sensitive to go on without. */
  | 'LIMITS_UNAVAILABLE'
  /** DEADLINE_EXCEEDED: the time allowed ran out. Metadata: service, when it was one that this server asked. */
  | 'DEADLINE_EXCEEDED'
  /** DEADLINE_EXCEEDED: too little time was left to begin. Metadata: service, when it was to be asked. */
  | 'DEADLINE_TOO_SHORT'
  /** CANCELLED: the caller gave up. */
  | 'CANCELLED'
  /** RESOURCE_EXHAUSTED: too many requests; QuotaFailure names the limit. Metadata: limit. */
  | 'RATE_LIMITED'
  /** RESOURCE_EXHAUSTED: too many passwords from this address for this e-mail that were wrong, or that are being checked at this moment; RetryInfo says when to try again. */
  | 'TOO_MANY_ATTEMPTS'
  /** RESOURCE_EXHAUSTED: the server is busy. Metadata: service, when it is one that this server asked. */
  | 'OVERLOADED'
  /** RESOURCE_EXHAUSTED: the request is larger than 4 MiB, or the tasks in the answer to it are larger than 3.5 MiB, so that the whole answer fits into 4 MiB. Metadata: maxBytes, when it is the answer. */
  | 'REQUEST_TOO_LARGE'
  /** RESOURCE_EXHAUSTED: more than 32 KiB of headers, or more than 128 of them. From 64 KiB on the transport ends the stream, or the connection when one header alone is that large, without any details. Metadata: maxBytes, maxCount. */
  | 'HEADERS_TOO_LARGE'
  /** ALREADY_EXISTS: a schedule with this id exists. Metadata: scheduleId. */
  | 'SCHEDULE_EXISTS'
  /** FAILED_PRECONDITION: the schedule is built in and cannot be deleted. Metadata: scheduleId. */
  | 'SCHEDULE_BUILT_IN'
  /** FAILED_PRECONDITION: there are as many schedules as there may be. Metadata: maxScheduleCount. */
  | 'TOO_MANY_SCHEDULES'
  /** INTERNAL: a defect of the server; the request id finds it in the logs. */
  | 'INTERNAL'
  /** UNIMPLEMENTED: the server has no such service or method, or does not know the compression. Metadata: encodings, when it is the compression. */
  | 'UNIMPLEMENTED'
  /** NOT_FOUND: no such webhook, or not one of the caller's. Metadata: webhookId. */
  | 'WEBHOOK_NOT_FOUND'
  /** NOT_FOUND: no such delivery of the webhook (any more). Metadata: deliveryId. */
  | 'WEBHOOK_DELIVERY_NOT_FOUND'
  /** FAILED_PRECONDITION: the caller has as many webhooks as are allowed. Metadata: maxWebhookCount. */
  | 'TOO_MANY_WEBHOOKS'
  /** FAILED_PRECONDITION: the webhook is disabled; EnableWebhook takes it up again. Metadata: webhookId. */
  | 'WEBHOOK_NOT_ENABLED'
  /** NOT_FOUND: no such mail, or it is not to be sent any more. Metadata: mailId. */
  | 'MAIL_NOT_FOUND'
  /** FAILED_PRECONDITION: the token sets no password (any more); why is not told. */
  | 'RESET_INVALID'
  /** FAILED_PRECONDITION: the token verifies no e-mail (any more); why is not told. */
  | 'VERIFICATION_INVALID'
  /** PERMISSION_DENIED: the password is right, but the e-mail has to be verified before one can sign in. */
  | 'EMAIL_UNVERIFIED'
  /** FAILED_PRECONDITION: the account is disabled; EnableAccount comes first. Metadata: userId. */
  | 'ACCOUNT_DISABLED'
  /** RESOURCE_EXHAUSTED: the account or the address was sent as many mails as are allowed in an hour. */
  | 'TOO_MANY_MAILS'
  /** FAILED_PRECONDITION: this installation sends no mail. */
  | 'MAIL_OFF'
  /** FAILED_PRECONDITION: the account is deleted. Its person can take it back by ReclaimAccount, an administrator by UndeleteAccount. Metadata: purgeTime, until when. */
  | 'ACCOUNT_DELETED'
  /** FAILED_PRECONDITION: the operator's settings name this administrator, who would be created again. Metadata: userId. */
  | 'CONFIGURED_ADMIN'
  /** FAILED_PRECONDITION: the account that tasks are to pass to does not exist, is disabled, or is the deleted one, or may not be found by the caller when named by e-mail. Metadata: userId, unless named by e-mail. */
  | 'SUCCESSOR_NOT_FOUND'
  /** FAILED_PRECONDITION: a repeat of a request that was carried out; its answer is not known any more, because it named a person whose account was removed since. */
  | 'ANSWER_REMOVED'
  /** UNAVAILABLE: nothing of the export was taken for too long, so what it reads from was given up; begin again. */
  | 'EXPORT_STALLED'
  /** PERMISSION_DENIED: a page of a site that the gateway's settings do not list asked for /mcp. */
  | 'ORIGIN_NOT_ALLOWED'
  /** NOT_FOUND: no such project, or the caller may not see it. Metadata: projectId. */
  | 'PROJECT_NOT_FOUND'
  /** NOT_FOUND: the person is no member of the project. Metadata: projectId, userId. */
  | 'MEMBER_NOT_FOUND'
  /** PERMISSION_DENIED: the caller may see the project, but not do this with their role in it. Metadata: projectId; role, the least that is needed. */
  | 'ROLE_REQUIRED'
  /** FAILED_PRECONDITION: the person does not exist or is disabled, or may not be found by the caller when named by e-mail. Metadata: userId, unless named by e-mail. */
  | 'PERSON_NOT_FOUND'
  /** ALREADY_EXISTS: the person is a member of the project. Metadata: projectId, userId. */
  | 'MEMBER_EXISTS'
  /** FAILED_PRECONDITION: the project has as many members as are allowed. Metadata: projectId, maxMemberCount. */
  | 'TOO_MANY_MEMBERS'
  /** FAILED_PRECONDITION: the person is a member of as many projects as are allowed, deleted ones left out. Metadata: maxProjectCount. */
  | 'TOO_MANY_PROJECTS'
  /** FAILED_PRECONDITION: the project would have no manager any more. Metadata: projectId. */
  | 'LAST_MANAGER'
  /** FAILED_PRECONDITION: the project is archived, so it cannot be changed; UnarchiveProject opens it. Metadata: projectId. */
  | 'PROJECT_ARCHIVED'
  /** FAILED_PRECONDITION: the person cannot be assigned to a task of the project, since they are no member of it. Metadata: projectId, assigneeId. */
  | 'ASSIGNEE_NOT_MEMBER'
  /** FAILED_PRECONDITION: the caller, an administrator, is no member of the project, so they cannot own a task in it. Metadata: projectId, userId. */
  | 'OWNER_NOT_MEMBER'
  /** FAILED_PRECONDITION: the task is in no project, so there is no order by hand, or the task next to which it is to stand is not in its project. Metadata: taskId, the one that is not in it; projectId, unless there is none. */
  | 'TASK_NOT_IN_PROJECT'
  /** NOT_FOUND: no such comment, or the caller may not see its task. Metadata: commentId. */
  | 'COMMENT_NOT_FOUND'
  /** FAILED_PRECONDITION: the comment is deleted, so it cannot be changed. Metadata: commentId. */
  | 'COMMENT_DELETED'
  /** PERMISSION_DENIED: only the author may change a comment, and only the author, the owner of the task and administrators may delete it. Metadata: commentId. */
  | 'NOT_COMMENT_AUTHOR'
  /** FAILED_PRECONDITION: the task has as many comments as are allowed, deleted ones among them. Metadata: taskId, maxCommentCount. */
  | 'TOO_MANY_COMMENTS'
  /** FAILED_PRECONDITION: an administrator who is neither owner, assignee nor member of the project sees the task, but is not told of it. Metadata: taskId. */
  | 'CANNOT_WATCH'
  /** OUT_OF_RANGE: webhooks are replayed from the last seven days only. Metadata: startTime, the earliest. */
  | 'REPLAY_TOO_OLD'
  /** FAILED_PRECONDITION: the webhook is sent nothing of what happens, so there is nothing to replay. Metadata: webhookId. */
  | 'WEBHOOK_WITHOUT_EVENTS'
  /** NOT_FOUND: the project has no such invitation (any more). Metadata: invitationId. */
  | 'PROJECT_INVITATION_NOT_FOUND'
  /** FAILED_PRECONDITION: the invitation to the project was accepted, cancelled or has ended, so it can neither be sent again nor cancelled. Metadata: invitationId; state, as ProjectInvitationState without its prefix. */
  | 'PROJECT_INVITATION_CLOSED'
  /** FAILED_PRECONDITION: the token is of no invitation to a project (any more). */
  | 'PROJECT_INVITATION_INVALID'
  /** FAILED_PRECONDITION: the invitation to the project has expired; it can be sent again. */
  | 'PROJECT_INVITATION_EXPIRED'
  /** FAILED_PRECONDITION: the invitation to the project was cancelled. */
  | 'PROJECT_INVITATION_CANCELLED'
  /** FAILED_PRECONDITION: another account has accepted the invitation to the project. It works once. */
  | 'PROJECT_INVITATION_USED'
  /** PERMISSION_DENIED: the invitation to the project was sent to another e-mail than that of the caller's account. */
  | 'PROJECT_INVITATION_FOR_ANOTHER'
  /** FAILED_PRECONDITION: the caller has accepted the invitation to the project, and could not join it. Metadata: cause, as JoinOutcome without its prefix. */
  | 'PROJECT_INVITATION_ENDED';
