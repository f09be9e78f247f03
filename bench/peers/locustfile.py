"""The lab's scenario `auth` for Locust: the same tasks, weights, waits, and the same checks of each answer."""

import itertools

from locust import FastHttpUser, HttpUser, between

numbers = itertools.count()


def log_in(user):
    credentials = {"email": user.email, "password": "a comparison is not a secret"}
    with user.client.post("/auth/login", json=credentials, catch_response=True) as answer:
        if answer.status_code != 200:
            answer.failure(f"login answered {answer.status_code}")
            return
        token = answer.json().get("access_token")
        if not isinstance(token, str):
            answer.failure("no token")
            return
        user.headers = {"authorization": f"Bearer {token}"}
        user.is_dead = False


def call_protected(user):
    with user.client.get("/api/protected", headers=user.headers, catch_response=True) as answer:
        if user.is_dead:
            # Refused is what a dead token must be.
            if answer.status_code == 401 and answer.json().get("code") == "token_revoked":
                answer.success()
            else:
                answer.failure("dead token accepted")
        elif answer.status_code != 200:
            answer.failure(f"live token: {answer.status_code}")


def log_out(user):
    with user.client.post("/auth/logout", headers=user.headers, catch_response=True) as answer:
        if answer.status_code == 200 and answer.json().get("propagation") == "complete":
            user.is_dead = True
        elif user.is_dead and answer.status_code == 401:
            answer.success()
        else:
            answer.failure(f"logout answered {answer.status_code}")


tasks_by_weight = {log_in: 5, call_protected: 10, log_out: 1}


def start(user):
    user.email = f"vu-{next(numbers)}@lab.example"
    user.headers = {}
    user.is_dead = False
    log_in(user)


class Fast(FastHttpUser):
    wait_time = between(1, 3)
    tasks = tasks_by_weight

    def on_start(self):
        start(self)


class Plain(HttpUser):
    wait_time = between(1, 3)
    tasks = tasks_by_weight

    def on_start(self):
        start(self)
