/** Who is logged in, and in which project they work. */

import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { createContext, useContext } from "react";

import { api, body } from "./client";
import type { Me, Membership } from "./model";

export function useMe(enabled = true): UseQueryResult<Me> {
  return useQuery({ queryKey: ["me"], queryFn: () => body(api.GET("/api/v1/auth/me")), enabled, staleTime: 60_000 });
}

export const ProjectContext = createContext<Membership | null>(null);

/** The project of the current address. */
export function useProject(): Membership {
  const project = useContext(ProjectContext);
  if (project === null) throw new Error("no project above this component");
  return project;
}

/** Whether one may create and change things here. */
export function useMayEdit(): boolean {
  return useProject().role !== "viewer";
}
