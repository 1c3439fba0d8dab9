"""The web application: OpenAI's endpoints over the stores, the registry and the trainer."""

import time
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from flywheel.llm.local.catalogue import Family
from flywheel.llm.local.chat import ChatRequest, answer_chat, read_chat
from flywheel.llm.local.counts import Served
from flywheel.llm.local.distribution import Distribution
from flywheel.llm.local.embedding_replies import answer_embedding, read_embedding
from flywheel.llm.local.faults import Switches
from flywheel.llm.local.files import FileStore
from flywheel.llm.local.guard import Guard
from flywheel.llm.local.job_endpoints import FileEndpoints, JobEndpoints
from flywheel.llm.local.jobs import JobStore
from flywheel.llm.local.messages import user_text
from flywheel.llm.local.registry import Registry
from flywheel.llm.local.trainer import Trainer
from flywheel.llm.local.wire import ApiError, Json, error_reply, read_body
from flywheel.llm.local.zero_shot import zero_shot


class ModelEndpoints:
    """List models, and ask them."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def listing(self, request: Request) -> Json:  # noqa: ARG002 - every endpoint takes the request
        """List all models."""
        return {"object": "list", "data": self._registry.entries()}

    async def one(self, request: Request) -> Json:
        """Describe one model."""
        return self._registry.entry(request.path_params["model_id"])

    async def chat(self, request: Request) -> Json:
        """Answer a chat completion."""
        asked = read_chat(await read_body(request))
        return answer_chat(asked, await self._belief(asked), int(time.time()))

    async def embed(self, request: Request) -> Json:
        """Embed texts; in a thread, since a batch takes a while."""
        asked = read_embedding(await read_body(request))
        return await run_in_threadpool(answer_embedding, asked)

    async def _belief(self, asked: ChatRequest) -> Distribution:
        base = self._registry.base(asked.model)
        if base.family is Family.EMBEDDING:
            raise ApiError(f"{asked.model!r} makes embeddings; ask a chat model.", 400, "model")
        if not self._registry.is_trained(asked.model):
            return zero_shot(asked.messages, base.family)
        learner = self._registry.ready(asked.model)
        if learner is None:  # fitting takes seconds: other requests go on meanwhile
            learner = await run_in_threadpool(self._registry.learner, asked.model)
        return learner.distribution(user_text(asked.messages))


class OwnEndpoints:
    """Health, the fault switches and the counts: what a real provider does not show."""

    def __init__(self, switches: Switches, served: Served) -> None:
        self._switches = switches
        self._served = served

    async def health(self, request: Request) -> Json:  # noqa: ARG002 - every endpoint takes the request
        """Say that requests are answered."""
        return {"status": "ok"}

    async def faults(self, request: Request) -> Json:
        """Show the switches; a POST replaces them first."""
        if request.method == "POST":
            self._switches.set(await read_body(request))
        return self._switches.shown()

    async def count(self, request: Request) -> Json:  # noqa: ARG002 - every endpoint takes the request
        """Show what was served."""
        return self._served.shown()


def create_app(folder: Path, switches: Switches) -> FastAPI:
    """Build the application over a folder, and take up the jobs it finds unfinished there."""
    served = Served()
    files, jobs = FileStore(folder / "files"), JobStore(folder / "jobs", time.time)
    registry = Registry(folder / "models")
    trainer = Trainer(jobs, files, registry, switches)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(HTTPException, _no_such_endpoint)
    app.add_exception_handler(Exception, _broken)
    guard = Guard(switches, served)
    _add_own(app, guard, OwnEndpoints(switches, served))
    _add_models(app, guard, ModelEndpoints(registry))
    _add_files(app, guard, FileEndpoints(files))
    _add_jobs(app, guard, JobEndpoints(jobs, files, registry, trainer))
    trainer.start(time.time)
    return app


def _add_own(app: FastAPI, guard: Guard, own: OwnEndpoints) -> None:
    app.add_route("/health", guard.around(own.health), ["GET"])
    app.add_route("/_faults", guard.around(own.faults), ["GET", "POST"])
    app.add_route("/_count", guard.around(own.count), ["GET"])


def _add_models(app: FastAPI, guard: Guard, models: ModelEndpoints) -> None:
    app.add_route("/v1/chat/completions", guard.around(models.chat), ["POST"])
    app.add_route("/v1/embeddings", guard.around(models.embed), ["POST"])
    app.add_route("/v1/models", guard.around(models.listing), ["GET"])
    app.add_route("/v1/models/{model_id:path}", guard.around(models.one), ["GET"])


def _add_files(app: FastAPI, guard: Guard, files: FileEndpoints) -> None:
    app.add_route("/v1/files", guard.around(files.upload), ["POST"])
    app.add_route("/v1/files", guard.around(files.listing), ["GET"])
    app.add_route("/v1/files/{file_id}", guard.around(files.one), ["GET"])
    app.add_route("/v1/files/{file_id}", guard.around(files.delete), ["DELETE"])
    app.add_route("/v1/files/{file_id}/content", guard.around(files.content), ["GET"])


def _add_jobs(app: FastAPI, guard: Guard, jobs: JobEndpoints) -> None:
    app.add_route("/v1/fine_tuning/jobs", guard.around(jobs.create), ["POST"])
    app.add_route("/v1/fine_tuning/jobs", guard.around(jobs.listing), ["GET"])
    app.add_route("/v1/fine_tuning/jobs/{job_id}", guard.around(jobs.one), ["GET"])
    app.add_route("/v1/fine_tuning/jobs/{job_id}/events", guard.around(jobs.events), ["GET"])
    app.add_route("/v1/fine_tuning/jobs/{job_id}/cancel", guard.around(jobs.cancel), ["POST"])


async def _no_such_endpoint(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return error_reply(ApiError(f"{request.method} {request.url.path} is not offered here.", status))


async def _broken(request: Request, error: Exception) -> Response:
    """Answer in OpenAI's shape; the server goes on to raise the error and log its traceback."""
    return error_reply(ApiError(f"{request.url.path} broke on {error!r}; see server.log in its folder.", 500))
