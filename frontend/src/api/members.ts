/** A project's members and the invites into it. */

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { api, body } from "./client";
import type { Invite, InviteCreate, InviteView, Member, Role } from "./model";

export function useMembers(projectId: string): UseQueryResult<Member[]> {
  return useQuery({
    queryKey: ["members", projectId],
    queryFn: async () => [...(await body(api.GET("/api/v1/projects/{project_id}/members", { params: { path: { project_id: projectId } } }))).items],
  });
}

export interface RoleChange {
  readonly member: Member;
  readonly role: Role;
}

export function usePutMember(projectId: string): UseMutationResult<Member, Error, RoleChange> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ member, role }: RoleChange) =>
      body(
        api.PUT("/api/v1/projects/{project_id}/members/{user_id}", {
          params: { path: { project_id: projectId, user_id: member.user_id } },
          body: { role },
        }),
      ),
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: ["members", projectId] }), client.invalidateQueries({ queryKey: ["me"] })]),
  });
}

/** Take a member out, or leave. */
export function useRemoveMember(projectId: string): UseMutationResult<unknown, Error, Member> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ user_id }: Member) =>
      body(api.DELETE("/api/v1/projects/{project_id}/members/{user_id}", { params: { path: { project_id: projectId, user_id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["members", projectId] }),
  });
}

export function useInvites(projectId: string): UseQueryResult<Invite[]> {
  return useQuery({
    queryKey: ["invites", projectId],
    queryFn: async () => [...(await body(api.GET("/api/v1/invites", { params: { query: { project_id: projectId } } }))).items],
  });
}

/** The answer holds code and link, this once. */
export function useCreateInvite(projectId: string): UseMutationResult<Invite, Error, Omit<InviteCreate, "project_id">> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (invite: Omit<InviteCreate, "project_id">) => body(api.POST("/api/v1/invites", { body: { ...invite, project_id: projectId } })),
    gcTime: 0,
    onSuccess: () => client.invalidateQueries({ queryKey: ["invites", projectId] }),
  });
}

export function useRevokeInvite(projectId: string): UseMutationResult<unknown, Error, Invite> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id }: Invite) => body(api.DELETE("/api/v1/invites/{invite_id}", { params: { path: { invite_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["invites", projectId] }),
  });
}

/** What an invite is good for; asked without being logged in. */
export function useInvite(code: string): UseQueryResult<InviteView> {
  return useQuery({
    queryKey: ["invite", code],
    queryFn: () => body(api.POST("/api/v1/auth/invite", { body: { invite_code: code } })),
    enabled: code !== "",
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

/** Become a member by an invite, with the account that is logged in. */
export function useAcceptInvite(): UseMutationResult<InviteView, Error, string> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (code: string) => body(api.POST("/api/v1/invites/accept", { body: { invite_code: code } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["me"] }),
  });
}
