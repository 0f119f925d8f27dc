// Runs blocks of queries over libpq and tells how long each iteration took; bench/client.py drives
// it. A client of its own because an interpreter's time and jitter would hide what is measured.
//
// Input is one JSON object a line, output one JSON object a line:
//   {"open": {variant}}   -> {"pid": backend}
//   {"run": name, "seed": n, "warmup": n, "iterations": n | "seconds": s, "cpu": n,
//    "pause": microseconds}
//                         -> {"iterations", "seconds", "median", "q1", "q3", "mean", "longest",
//                         "cpu"}
// Times are in nanoseconds; cpu is the mean of what the backend ran. Variants are described in
// client.py.
#include <libpq-fe.h>
#include <nlohmann/json.hpp>

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

struct Closer {
    void operator()(PGconn* p) const { PQfinish(p); }
    void operator()(PGresult* p) const { PQclear(p); }
};
using Connection = std::unique_ptr<PGconn, Closer>;
using Result = std::unique_ptr<PGresult, Closer>;

void check(PGconn* connection, const PGresult* result) {
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_PIPELINE_SYNC)
        throw std::runtime_error(PQerrorMessage(connection));
}

void execute(PGconn* connection, const std::string& sql) {
    const Result result(PQexec(connection, sql.c_str()));
    check(connection, result.get());
}

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
        lines.push_back(line);
    if (lines.empty())
        throw std::runtime_error("nothing in " + path);
    return lines;
}

// A parameter: a text, a random one of a list, the next one of a list, or a random number.
class Parameter {
public:
    explicit Parameter(const Json& form) {
        if (form.is_string()) {
            values_ = {form.get<std::string>()};
        } else if (form.contains("file")) {
            values_ = lines_of(form["file"]);
            random_ = form.value("random", false);
        } else {
            low_ = form["low"];
            high_ = form["high"];
            times_ = form.value("times", 1);
            plus_ = form.value("plus", 0);
            prefix_ = form.value("prefix", "");
            serial_ = form.value("serial", false);
        }
    }

    const char* next(std::mt19937_64& random) {
        if (values_.empty()) {
            const std::int64_t n = serial_ ? low_ + next_++ : pick(random, low_, high_);
            current_ = prefix_ + std::to_string(n * times_ + plus_);
            return current_.c_str();
        }
        const auto last = static_cast<std::int64_t>(values_.size()) - 1;
        const std::int64_t n = random_ ? pick(random, 0, last) : next_++ % (last + 1);
        return values_[static_cast<std::size_t>(n)].c_str();
    }

private:
    static std::int64_t pick(std::mt19937_64& random, std::int64_t low, std::int64_t high) {
        return low +
               static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
    }

    std::vector<std::string> values_;
    std::string prefix_;
    std::string current_;
    std::int64_t low_ = 0;
    std::int64_t high_ = 0;
    std::int64_t times_ = 1;
    std::int64_t plus_ = 0;
    std::int64_t next_ = 0;
    bool random_ = false;
    bool serial_ = false;
};

// One message of an iteration: a prepared statement, or with the simple protocol a text in which
// {0}, {1} ... stand for the parameters.
struct Step {
    explicit Step(const Json& form)
        : simple(form.value("simple", "")), statement(form.value("statement", "")) {
        for (const Json& parameter : form.value("parameters", Json::array()))
            parameters.emplace_back(parameter);
        values.resize(parameters.size());
    }

    void fill(std::mt19937_64& random) {
        for (std::size_t i = 0; i < parameters.size(); i++)
            values[i] = parameters[i].next(random);
        if (simple.empty())
            return;
        text = simple;
        for (std::size_t i = 0; i < values.size(); i++) {
            const std::string mark = "{" + std::to_string(i) + "}";
            for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;)
                text.replace(at, mark.size(), values[i]);
        }
    }

    std::string simple;
    std::string statement;
    std::vector<Parameter> parameters;
    std::vector<const char*> values;
    std::string text;
};

// Client and backend take turns, so one processor serves both; on two, half of what is measured
// would be how fast one wakes the other. Where that is not allowed it is left to the kernel.
void keep_on(int cpu, int process) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    (void)sched_setaffinity(process, sizeof set, &set);
}

// How long a process has run, in nanoseconds. Exact while it sleeps.
double time_run(int process) {
    double nanoseconds = 0;
    std::ifstream("/proc/" + std::to_string(process) + "/schedstat") >> nanoseconds;
    return nanoseconds;
}

class Variant {
public:
    explicit Variant(const Json& form)
        : connection_(PQconnectdb(form["conninfo"].get<std::string>().c_str())),
          before_(form.value("before", std::vector<std::string>{})),
          after_(form.value("after", std::vector<std::string>{})),
          pipelined_(form.value("pipelined", false)) {
        if (PQstatus(connection_.get()) != CONNECTION_OK)
            throw std::runtime_error(PQerrorMessage(connection_.get()));
        for (const std::string& sql : form.value("setup", std::vector<std::string>{}))
            execute(connection_.get(), sql);
        for (const auto& [name, sql] : form.value("prepare", std::map<std::string, std::string>{}))
            prepare(name, sql);
        for (const Json& step : form["steps"])
            steps_.emplace_back(step);
        if (pipelined_ && PQenterPipelineMode(connection_.get()) != 1)
            throw std::runtime_error("no pipeline mode");
    }

    [[nodiscard]] int pid() const { return PQbackendPID(connection_.get()); }

    Json run(const Json& order) {
        std::mt19937_64 random(order.value("seed", 0));
        if (order.contains("cpu")) {
            keep_on(order["cpu"], 0);
            keep_on(order["cpu"], pid());
        }
        around(before_);
        for (int i = order.value("warmup", 0); i > 0; i--)
            iterate(random);
        const int count = order.value("iterations", 0);
        const double limit = order.value("seconds", 0.0);
        std::vector<double> times;
        times.reserve(static_cast<std::size_t>(std::max(count, 100000)));
        const std::chrono::microseconds pause(order.value("pause", 0));
        const double ran = time_run(pid());
        const Clock::time_point begin = Clock::now();
        double total = 0;
        while (count > 0 ? static_cast<int>(times.size()) < count : total < limit) {
            times.push_back(iterate(random));
            if (pause.count() > 0)
                std::this_thread::sleep_for(pause);
            total = std::chrono::duration<double>(Clock::now() - begin).count();
        }
        const double cpu = (time_run(pid()) - ran) / static_cast<double>(times.size());
        around(after_);
        return describe(times, total, cpu);
    }

private:
    void prepare(const std::string& name, const std::string& sql) {
        const Result result(PQprepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr));
        check(connection_.get(), result.get());
    }

    // What surrounds a block is never pipelined.
    void around(const std::vector<std::string>& statements) {
        if (statements.empty())
            return;
        if (pipelined_)
            PQexitPipelineMode(connection_.get());
        for (const std::string& sql : statements)
            execute(connection_.get(), sql);
        if (pipelined_)
            PQenterPipelineMode(connection_.get());
    }

    double iterate(std::mt19937_64& random) {
        for (Step& step : steps_)
            step.fill(random);
        const Clock::time_point begin = Clock::now();
        if (pipelined_)
            iterate_pipelined();
        else
            for (Step& step : steps_)
                iterate_one(step);
        return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
    }

    void iterate_one(const Step& step) {
        const Result result(step.simple.empty()
                                ? PQexecPrepared(connection_.get(), step.statement.c_str(),
                                                 static_cast<int>(step.values.size()),
                                                 step.values.data(), nullptr, nullptr, 0)
                                : PQexec(connection_.get(), step.text.c_str()));
        check(connection_.get(), result.get());
    }

    void iterate_pipelined() {
        for (const Step& step : steps_)
            if (PQsendQueryPrepared(connection_.get(), step.statement.c_str(),
                                    static_cast<int>(step.values.size()), step.values.data(),
                                    nullptr, nullptr, 0) != 1)
                throw std::runtime_error(PQerrorMessage(connection_.get()));
        PQpipelineSync(connection_.get());
        for (;;) {
            const Result result(PQgetResult(connection_.get()));
            if (!result)
                continue;
            check(connection_.get(), result.get());
            if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC)
                return;
        }
    }

    static Json describe(std::vector<double>& times, double seconds, double cpu) {
        const std::size_t count = times.size();
        double sum = 0;
        for (const double time : times)
            sum += time;
        std::sort(times.begin(), times.end());
        return {{"iterations", count},         {"seconds", seconds},
                {"q1", times[count / 4]},      {"median", times[count / 2]},
                {"q3", times[count * 3 / 4]},  {"mean", sum / static_cast<double>(count)},
                {"longest", times[count - 1]}, {"cpu", cpu}};
    }

    Connection connection_;
    std::vector<std::string> before_;
    std::vector<std::string> after_;
    std::vector<Step> steps_;
    bool pipelined_;
};

Json answer(std::map<std::string, std::unique_ptr<Variant>>& variants, const Json& order) {
    if (order.contains("open")) {
        const Json& form = order["open"];
        auto variant = std::make_unique<Variant>(form);
        const int pid = variant->pid();
        variants[form["name"]] = std::move(variant);
        return {{"pid", pid}};
    }
    return variants.at(order["run"])->run(order);
}

} // namespace

int main() {
    std::map<std::string, std::unique_ptr<Variant>> variants;
    for (std::string line; std::getline(std::cin, line);) {
        try {
            std::cout << answer(variants, Json::parse(line)) << std::endl;
        } catch (const std::exception& error) {
            std::cout << Json{{"error", error.what()}} << std::endl;
        }
    }
}
